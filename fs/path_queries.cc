// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/path_queries.h"

#include <limits.h>
#include <sys/statvfs.h>

#include <cstddef>

#include "ringway/backends/prepare.h"

namespace ringway::fs {

AccessOp::AccessOp(int directory, std::string path, int mode, int flags)
    : PathOp("access to", std::move(path)) {
  PrepareAccess(*this, directory, first(), mode, flags);
}

RealPathOp::RealPathOp(std::string path)
    : PathOp("real path of", std::move(path)), resolved_(PATH_MAX, '\0') {
  PrepareRealPath(*this, first(), resolved_);
}

absl::StatusOr<std::string> RealPathOp::await_resume() {
  absl::Status status = Status();
  if (!status.ok()) return status;
  resolved_.resize(static_cast<size_t>(result));
  return std::move(resolved_);
}

StatFileSystemOp::StatFileSystemOp(std::string path)
    : PathOp("statfs of", std::move(path)) {
  PrepareStatFs(*this, first(), &info_);
}

absl::StatusOr<FileSystemInfo> StatFileSystemOp::await_resume() const {
  absl::Status status = Status();
  if (!status.ok()) return status;
  FileSystemInfo info;
  info.type = info_.f_type;
  // Blocks are counted in fragments, which not every file system has.
  info.block_bytes = static_cast<uint64_t>(info_.f_frsize != 0 ? info_.f_frsize
                                                               : info_.f_bsize);
  info.total_bytes = info_.f_blocks * info.block_bytes;
  info.free_bytes = info_.f_bfree * info.block_bytes;
  info.available_bytes = info_.f_bavail * info.block_bytes;
  info.total_inodes = info_.f_files;
  info.free_inodes = info_.f_ffree;
  info.max_name_bytes = static_cast<uint64_t>(info_.f_namelen);
  info.read_only = (info_.f_flags & ST_RDONLY) != 0;
  return info;
}

}  // namespace ringway::fs
