// SPDX-License-Identifier: Apache-2.0
//
// What a file store tells of itself and of paths.

#include <fcntl.h>
#include <limits.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <span>
#include <string>

#include "ringway/backends/sim/files/file_store.h"

namespace ringway::sim {
namespace {

// Of a disk without a limit: 16 TiB.
constexpr uint64_t kMostBlocks = uint64_t{1} << 32;

}  // namespace

int FileStore::Access(const FilePath& at, int mode, int flags) const {
  constexpr int kKnown = AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
  if ((mode & ~(R_OK | W_OK | X_OK)) != 0 || (flags & ~kKnown) != 0)
    return -EINVAL;
  InodePtr inode;
  if (int error = Find(at, flags, &inode); error != 0) return error;
  const bool runs = !inode->is_file() || (inode->mode & 0111) != 0;
  return (mode & X_OK) != 0 && !runs ? -EACCES : 0;  // even for root
}

int FileStore::StatFs(const FilePath& at, struct statfs* out) const {
  InodePtr inode;
  if (int error = Find(at, /*flags=*/0, &inode); error != 0) return error;
  *out = {};
  out->f_bsize = out->f_frsize = FileContent::kBlockBytes;
  out->f_blocks = std::min(disk_.capacity, kMostBlocks);
  out->f_bfree = out->f_blocks - std::min(disk_.used, out->f_blocks);
  out->f_bavail = out->f_bfree;
  out->f_namelen = NAME_MAX;
  return 0;
}

int FileStore::RealPath(const FilePath& at, std::span<char> resolved) const {
  const PathEnd end = Walk(at, /*follow=*/true);
  if (end.error != 0) return end.error;
  if (end.inode == nullptr) return -ENOENT;
  const std::string path = PathOf(end);
  if (path.size() > resolved.size()) return -ENAMETOOLONG;
  std::copy(path.begin(), path.end(), resolved.begin());
  return static_cast<int>(path.size());
}

}  // namespace ringway::sim
