// SPDX-License-Identifier: Apache-2.0
//
// The operations on files and directories.

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "ringway/backends/sim/files/open_file.h"
#include "ringway/backends/sim/kernel.h"
#include "ringway/backends/sim/network/pipe.h"

namespace ringway::sim {
namespace {

bool IsAccessible(const void* pointer) {
  return reinterpret_cast<uintptr_t>(pointer) >= 4096;
}

// Makes nothing durable: the metadata of pages written early is still
// missing.
int64_t SyncRange(const Operation& op, const OpenFile* file) {
  constexpr uint32_t kFlags = SYNC_FILE_RANGE_WAIT_BEFORE |
                              SYNC_FILE_RANGE_WRITE |
                              SYNC_FILE_RANGE_WAIT_AFTER;
  const bool wraps = op.offset + int64_t{op.length} < op.offset;
  if ((op.flags & ~kFlags) != 0 || op.offset < 0 || wraps) return -EINVAL;
  return file == nullptr ? -ESPIPE : 0;
}

}  // namespace

int64_t Kernel::OnFile(const Operation& op, Description& description) {
  OpenFile* file = description.AsFile();
  if (op.opcode == OpCode::kSyncFileRange) return SyncRange(op, file);
  if (file == nullptr && op.opcode == OpCode::kFallocate) {
    return dynamic_cast<PipeEnd*>(&description) != nullptr ? -ESPIPE : -ENODEV;
  }
  if (file == nullptr) return -EINVAL;
  if (op.opcode == OpCode::kFsync) return file->Sync();
  if (op.opcode == OpCode::kTruncate) return file->Truncate(op.offset);
  return file->Allocate(static_cast<int>(op.flags), op.offset, op.offset2);
}

// The starting directory and the rest of a path. 0 or -errno.
int Kernel::DirectoryOf(int fd, const void* path, FilePath* out) {
  if (!IsAccessible(path)) return -EFAULT;
  out->path = static_cast<const char*>(path);
  if (fd == AT_FDCWD || out->path.starts_with('/')) return 0;
  const std::shared_ptr<Description> description = fds_.Get(fd, "a path");
  if (description == nullptr) return -EBADF;
  if (description->AsFile() == nullptr) return -ENOTDIR;
  out->directory = description->AsFile()->inode();
  return 0;
}

int64_t Kernel::OnPath(const Operation& op) {
  FilePath first, second;
  const bool has_two = op.opcode == OpCode::kRename ||
                       op.opcode == OpCode::kLink ||
                       op.opcode == OpCode::kSymlink;
  // The first "path" of a symbolic link is any text.
  const int first_fd = op.opcode == OpCode::kSymlink ? AT_FDCWD : op.fd;
  int error = DirectoryOf(first_fd, op.address, &first);
  if (error == 0 && has_two) error = DirectoryOf(op.fd2, op.address2, &second);
  if (error != 0) return error;
  const int flags = static_cast<int>(op.flags);
  switch (op.opcode) {
    case OpCode::kOpenAt:
      return Open(op, first);
    case OpCode::kStatx:
      if (!IsAccessible(op.address2)) return -EFAULT;
      return files_.Stat(first, flags, static_cast<struct statx*>(op.address2));
    case OpCode::kRename:
      return files_.Rename(first, second, op.flags);
    case OpCode::kUnlink:
      return files_.Unlink(first, flags);
    case OpCode::kMkdir:
      return files_.MakeDirectory(first, op.length);
    case OpCode::kLink:
      return files_.Link(first, second, flags);
    default:
      return files_.SymbolicLink(first.path, second);
  }
}

int64_t Kernel::Open(const Operation& op, const FilePath& path) {
  if (fds_.full()) return -EMFILE;
  std::shared_ptr<OpenFile> file;
  const int error =
      files_.Open(path, static_cast<int>(op.flags), op.length, &file);
  return error != 0 ? error : fds_.Open(std::move(file), "openat");
}

}  // namespace ringway::sim
