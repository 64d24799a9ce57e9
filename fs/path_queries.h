// SPDX-License-Identifier: Apache-2.0
//
// Questions about a path: may it be used, where does it lead, how much room has
// its file system?
//
//   absl::StatusOr<std::string> path = co_await fs::RealPath("../data");
//   auto disk = co_await fs::StatFileSystem("/var/lib");  // FileSystemInfo
//
// For what they have in common with other operations on names see path_ops.h.
// On io_uring, too, a helper thread waits for them: it has no such operations.

#ifndef RINGWAY_FS_PATH_QUERIES_H_
#define RINGWAY_FS_PATH_QUERIES_H_

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/fs/path_ops.h"

namespace ringway::fs {

struct FileSystemInfo {
  FileSystemInfo() {}

  int64_t type = 0;          // a number of statfs(2), such as EXT4_SUPER_MAGIC
  uint64_t block_bytes = 0;  // what it allocates at once
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;
  uint64_t available_bytes = 0;  // of the free ones, without privileges
  uint64_t total_inodes = 0;     // 0 where there is no limit
  uint64_t free_inodes = 0;
  uint64_t max_name_bytes = 0;  // of one part of a path
  bool read_only = false;
};

class [[nodiscard]] AccessOp : public internal::PathOp {
 public:
  AccessOp(int directory, std::string path, int mode, int flags);
};
class [[nodiscard]] RealPathOp : public internal::PathOp {
 public:
  explicit RealPathOp(std::string path);
  absl::StatusOr<std::string> await_resume();

 private:
  std::string resolved_;
};
class [[nodiscard]] StatFileSystemOp : public internal::PathOp {
 public:
  explicit StatFileSystemOp(std::string path);
  absl::StatusOr<FileSystemInfo> await_resume() const;

 private:
  struct statfs info_ = {};
};

// OK if this process may use what `path` is, or links to: `mode` is F_OK (it is
// there) or of R_OK, W_OK, X_OK. A hint for messages: it may change before the
// use, whose own error decides.
//
// Errors: EACCES, EROFS: it may not; ENOENT; EINVAL for another mode.
inline AccessOp Access(std::string path, int mode = F_OK) {
  return AccessOp(AT_FDCWD, std::move(path), mode, AT_EACCESS);
}

// The absolute path of what `path` is, or links to, without links, "." and
// "..". It may lead elsewhere by the time it is used: what comes from others is
// for a Directory.
//
// Errors: ENOENT if nothing is there; ELOOP, ENOTDIR, EACCES; ENAMETOOLONG if
//         the result has more than PATH_MAX bytes.
inline RealPathOp RealPath(std::string path) {
  return RealPathOp(std::move(path));
}

// The file system that `path` is on.
inline StatFileSystemOp StatFileSystem(std::string path) {
  return StatFileSystemOp(std::move(path));
}

}  // namespace ringway::fs

#endif  // RINGWAY_FS_PATH_QUERIES_H_
