// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/copying/copy_small_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>

#include "ringway/core/unique_fd.h"
#include "ringway/fs/path_names.h"

namespace ringway::fs::internal {
namespace {

constexpr size_t kMostBytes = size_t{64} << 10;
constexpr int64_t kStatBlock = 512;

// On the thread's stack.
class Content {
 public:
  // False if it is less than `n_bytes` now.
  bool Read(int fd, size_t n_bytes) {
    while (n_ < n_bytes) {
      const ssize_t n = read(fd, bytes_.data() + n_, n_bytes - n_);
      if (n <= 0) return false;
      n_ += static_cast<size_t>(n);
    }
    return true;
  }
  bool Write(int fd) const {
    std::span<const std::byte> left = std::span(bytes_).first(n_);
    while (!left.empty()) {
      const ssize_t n = write(fd, left.data(), left.size());
      if (n <= 0) return false;
      left = left.subspan(static_cast<size_t>(n));
    }
    return true;
  }

 private:
  std::array<std::byte, kMostBytes> bytes_;
  size_t n_ = 0;
};

bool IsSmall(const struct stat& info) {
  return S_ISREG(info.st_mode) && info.st_size > 0 &&
         info.st_size <= static_cast<int64_t>(kMostBytes) &&
         info.st_blocks * kStatBlock >= info.st_size;
}

bool IsSame(const std::string& path, const struct stat& info) {
  struct stat there;
  return stat(path.c_str(), &there) == 0 && there.st_ino == info.st_ino &&
         there.st_dev == info.st_dev;
}

// Gives `name`, a copy of what `info` says, the name `to`, unless that is the
// original. Mostly nothing has that name.
bool Move(const std::string& name, const std::string& to,
          const struct stat& info) {
  if (renameat2(AT_FDCWD, name.c_str(), AT_FDCWD, to.c_str(),
                RENAME_NOREPLACE) == 0)
    return true;
  return !IsSame(to, info) && rename(name.c_str(), to.c_str()) == 0;
}

bool Fill(UniqueFd& target, const Content& content, const struct stat& info,
          const SmallCopies& how) {
  const timespec times[2] = {info.st_atim, info.st_mtim};
  return content.Write(target.get()) &&
         (!how.keep_permissions ||
          fchmod(target.get(), info.st_mode & 07777) == 0) &&
         (!how.keep_times || futimens(target.get(), times) == 0) &&
         close(target.Release()) == 0;
}

std::optional<int64_t> Copy(const CopyNames& names, const SmallCopies& how) {
  if (HasNul(names.from) || HasNul(names.to)) return std::nullopt;
  // It might be a FIFO by now.
  const UniqueFd source(
      open(names.from.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info;
  Content content;
  if (!source.valid() || fstat(source.get(), &info) != 0 || !IsSmall(info) ||
      !content.Read(source.get(), static_cast<size_t>(info.st_size)))
    return std::nullopt;
  const std::string name = NameBeside(names.to);
  UniqueFd target(open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                       how.keep_permissions ? 0600 : how.mode));
  if (!target.valid()) return std::nullopt;
  if (!Fill(target, content, info, how) || !Move(name, names.to, info)) {
    unlink(name.c_str());
    return std::nullopt;
  }
  return info.st_size;
}

}  // namespace

std::vector<std::optional<int64_t>> CopySmallFiles(const SmallCopies& copies) {
  std::vector<std::optional<int64_t>> sizes;
  sizes.reserve(copies.files.size());
  for (const CopyNames& names : copies.files)
    sizes.push_back(Copy(names, copies));
  return sizes;
}

}  // namespace ringway::fs::internal
