// SPDX-License-Identifier: Apache-2.0
//
// The operations on files and directories.

#include <fcntl.h>
#include <linux/openat2.h>

#include <algorithm>
#include <cerrno>
#include <span>
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

bool IsPipe(Description& description) {
  return dynamic_cast<PipeEnd*>(&description) != nullptr;
}

int64_t Advise(const Operation& op, Description& description) {
  if (IsPipe(description)) return -ESPIPE;
  return op.flags <= POSIX_FADV_NOREUSE ? 0 : -EINVAL;
}

int64_t Seek(const Operation& op, OpenFile* file) {
  if (file == nullptr) return -ESPIPE;
  const int64_t position = file->Seek(op.offset, static_cast<int>(op.flags));
  if (position < 0) return position;
  *static_cast<int64_t*>(op.address) = position;
  return 0;
}

int64_t ReadEntries(const Operation& op, OpenFile* file) {
  if (file == nullptr) return -ENOTDIR;
  return file->ReadEntries(
      std::span(static_cast<std::byte*>(op.address), op.length));
}

bool IsOfFdItself(const Operation& op) {
  return (op.flags & AT_EMPTY_PATH) != 0 && op.fd != AT_FDCWD &&
         IsAccessible(op.address) && *static_cast<char*>(op.address) == '\0';
}

// What statx(2) tells of an fd that is no file.
int64_t StatSpecial(Description& description, struct statx* out) {
  if (!IsAccessible(out)) return -EFAULT;
  *out = {};
  out->stx_mask = STATX_TYPE | STATX_MODE | STATX_NLINK;
  out->stx_mode = IsPipe(description) ? S_IFIFO | 0600 : S_IFSOCK | 0777;
  out->stx_nlink = 1;
  return 0;
}

FileOwner OwnerOf(const Operation& op) {
  return {static_cast<uid_t>(op.offset), static_cast<gid_t>(op.offset2)};
}

}  // namespace

int64_t Kernel::OnFile(const Operation& op, Description& description) {
  OpenFile* file = description.AsFile();
  if (op.opcode == OpCode::kSyncFileRange) return SyncRange(op, file);
  if (op.opcode == OpCode::kFadvise) return Advise(op, description);
  if (op.opcode == OpCode::kSeek) return Seek(op, file);
  if (op.opcode == OpCode::kGetDents) return ReadEntries(op, file);
  if (file == nullptr && op.opcode == OpCode::kFallocate) {
    return IsPipe(description) ? -ESPIPE : -ENODEV;
  }
  if (file == nullptr) return -EINVAL;
  if (op.opcode == OpCode::kFsync) return file->Sync();
  if (op.opcode == OpCode::kTruncate) return file->Truncate(op.offset);
  if (op.opcode == OpCode::kLock) {
    return file->Lock(static_cast<int>(op.flags), op.offset, op.offset2);
  }
  return file->Allocate(static_cast<int>(op.flags), op.offset, op.offset2);
}

// The starting directory and the rest of a path. 0 or -errno.
int Kernel::DirectoryOf(int fd, const void* path, FilePath* out) {
  if (!IsAccessible(path)) return -EFAULT;
  out->path = static_cast<const char*>(path);
  if (fd == AT_FDCWD || out->path.starts_with('/')) return 0;
  return DirectoryOf(fd, &out->directory);
}

int Kernel::DirectoryOf(int fd, InodePtr* out) {
  const std::shared_ptr<Description> description = fds_.Get(fd, "a path");
  if (description == nullptr) return -EBADF;
  if (description->AsFile() == nullptr) return -ENOTDIR;
  *out = description->AsFile()->inode();
  return 0;
}

int64_t Kernel::OnPath(const Operation& op) {
  if (op.opcode == OpCode::kStatx && IsOfFdItself(op)) {
    const std::shared_ptr<Description> description = fds_.Get(op.fd, "statx");
    if (description == nullptr) return -EBADF;
    if (description->AsFile() == nullptr)
      return StatSpecial(*description, static_cast<struct statx*>(op.address2));
  }
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
    case OpCode::kOpenAt2:
      return OpenResolving(op, first);
    case OpCode::kReadLink:
      return files_.ReadLink(
          first, std::span(static_cast<char*>(op.address2), op.length));
    case OpCode::kChmod:
      return files_.SetMode(first, op.length, flags);
    case OpCode::kChown:
      return files_.SetOwner(first, OwnerOf(op), flags);
    case OpCode::kSetTimes:
      return files_.SetTimes(first, static_cast<const timespec*>(op.address2),
                             flags);
    case OpCode::kAccess:
      return files_.Access(first, static_cast<int>(op.length), flags);
    case OpCode::kStatFs:
      if (!IsAccessible(op.address2)) return -EFAULT;
      return files_.StatFs(first, static_cast<struct statfs*>(op.address2));
    case OpCode::kRealPath:
      return files_.RealPath(
          first, std::span(static_cast<char*>(op.address2), op.length));
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

int64_t Kernel::OpenResolving(const Operation& op, const FilePath& path) {
  if (!IsAccessible(op.address2)) return -EFAULT;
  const open_how& how = *static_cast<const open_how*>(op.address2);
  if (fds_.full()) return -EMFILE;
  FilePath at = path;
  const bool in_root = (how.resolve & RESOLVE_IN_ROOT) != 0;
  int error = 0;
  // Even an absolute path begins there.
  if (in_root && op.fd != AT_FDCWD) error = DirectoryOf(op.fd, &at.directory);
  std::shared_ptr<OpenFile> file;
  if (error == 0) error = files_.OpenResolving(at, how, &file);
  return error != 0 ? error : fds_.Open(std::move(file), "openat2");
}

int64_t Kernel::CopyFileRange(Request& request) {
  const Operation& op = request.op;
  if (request.on == nullptr || request.other == nullptr) return -EBADF;
  const OpenFile* to = request.on->AsFile();
  const OpenFile* from = request.other->AsFile();
  if (to == nullptr || from == nullptr) return -EINVAL;
  if (to->inode()->is_directory() || from->inode()->is_directory())
    return -EISDIR;
  if (!to->writable() || to->appends()) return -EBADF;
  const int64_t source = from->PositionOr(op.offset2);
  const int64_t target = to->PositionOr(op.offset);
  if (source < 0 || target < 0) return -EINVAL;
  const int64_t size = static_cast<int64_t>(from->inode()->content.size());
  const int64_t length = std::min<int64_t>(op.length, size - source);
  const bool overlap = to->inode() == from->inode() &&
                       source - target < length && target - source < length;
  if (overlap) return -EINVAL;
  return Move(request, op.offset2, op.offset, op.length);
}

}  // namespace ringway::sim
