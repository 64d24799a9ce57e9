// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/sim/files/open_file.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <poll.h>

#include <cerrno>
#include <utility>

#include "ringway/backends/prepare.h"
#include "ringway/backends/sim/environment/environment.h"

namespace ringway::sim {

OpenFile::OpenFile(Environment& environment, InodePtr inode, int flags)
    : Description(environment), inode_(std::move(inode)), flags_(flags) {}

std::string_view OpenFile::kind() const {
  return inode_->is_directory() ? "directory" : "file";
}

uint32_t OpenFile::Ready() { return POLLIN | POLLOUT; }

bool OpenFile::writable() const { return (flags_ & O_ACCMODE) != O_RDONLY; }

int64_t OpenFile::Read(Buffers& to, int64_t offset) {
  if ((flags_ & O_ACCMODE) == O_WRONLY) return -EBADF;
  if (inode_->is_directory()) return -EISDIR;
  if (offset < kCurrentPosition) return -EINVAL;
  const int64_t from = offset == kCurrentPosition ? position_ : offset;
  const size_t n = inode_->content.Read(to, static_cast<uint64_t>(from));
  if (offset == kCurrentPosition) position_ += static_cast<int64_t>(n);
  return static_cast<int64_t>(n);
}

int64_t OpenFile::Write(Buffers& from, int64_t offset) {
  if (!writable()) return -EBADF;
  if (offset < kCurrentPosition) return -EINVAL;
  int64_t to = offset == kCurrentPosition ? position_ : offset;
  if ((flags_ & O_APPEND) != 0) {
    to = static_cast<int64_t>(inode_->content.size());
  }
  const size_t wanted = from.left();
  const size_t n = inode_->content.Write(from, static_cast<uint64_t>(to));
  if (n == 0 && wanted > 0) return -ENOSPC;
  inode_->modified = environment().now();
  if (offset == kCurrentPosition) position_ = to + static_cast<int64_t>(n);
  return static_cast<int64_t>(n);
}

int64_t OpenFile::Sync() {
  if (sync_error_ != 0) return -sync_error_;
  inode_->safe_content = inode_->content.Save();
  inode_->safe_entries = inode_->entries;
  return 0;
}

void OpenFile::FailSync(int error) {
  sync_error_ = error;
  if (inode_->is_file()) inode_->content.Restore(inode_->safe_content);
}

int64_t OpenFile::Allocate(int mode, int64_t offset, int64_t n_bytes) {
  if (!writable()) return -EBADF;
  if (offset < 0 || n_bytes <= 0) return -EINVAL;
  const uint64_t from = static_cast<uint64_t>(offset);
  const uint64_t length = static_cast<uint64_t>(n_bytes);
  FileContent& content = inode_->content;
  switch (mode) {
    case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
      content.PunchHole(from, length);
      return 0;
    case FALLOC_FL_KEEP_SIZE:
      return content.Allocate(from, length) ? 0 : -ENOSPC;
    case 0:
      if (!content.Allocate(from, length)) return -ENOSPC;
      if (content.size() < from + length) content.Truncate(from + length);
      return 0;
    default:
      return -EOPNOTSUPP;
  }
}

int64_t OpenFile::Truncate(int64_t n_bytes) {
  if (!writable() || !inode_->is_file() || n_bytes < 0) return -EINVAL;
  inode_->content.Truncate(static_cast<uint64_t>(n_bytes));
  inode_->modified = environment().now();
  return 0;
}

}  // namespace ringway::sim
