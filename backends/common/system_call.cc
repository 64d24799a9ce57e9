// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/system_call.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "ringway/backends/prepare.h"

namespace ringway {
namespace {

int64_t Transfer(const Operation& op) {
  const bool at_position = op.offset == kCurrentPosition;
  const int n_vectors = static_cast<int>(op.length);
  auto* vectors = static_cast<const iovec*>(op.address);
  switch (op.opcode) {
    case OpCode::kRead:
      return at_position ? read(op.fd, op.address, op.length)
                         : pread(op.fd, op.address, op.length, op.offset);
    case OpCode::kReadv:
      return at_position ? readv(op.fd, vectors, n_vectors)
                         : preadv(op.fd, vectors, n_vectors, op.offset);
    case OpCode::kWrite:
      return at_position ? write(op.fd, op.address, op.length)
                         : pwrite(op.fd, op.address, op.length, op.offset);
    default:
      return at_position ? writev(op.fd, vectors, n_vectors)
                         : pwritev(op.fd, vectors, n_vectors, op.offset);
  }
}

off_t* OrCurrent(off_t& offset) {
  return offset == kCurrentPosition ? nullptr : &offset;
}

int64_t Splice(const Operation& op) {
  off_t from_offset = op.offset2;
  off_t to_offset = op.offset;
  const unsigned flags =
      op.flags | (op.backend.must_not_wait ? SPLICE_F_NONBLOCK : 0);
  return splice(op.fd2, OrCurrent(from_offset), op.fd, OrCurrent(to_offset),
                op.length, flags);
}

int64_t SendFile(const Operation& op) {
  off_t offset = op.offset2;
  return sendfile(op.fd, op.fd2, OrCurrent(offset), op.length);
}

int64_t Poll(const Operation& op) {
  if (op.fd < 0) return errno = EBADF, -1;  // poll(2) skips it
  pollfd polled = {op.fd, static_cast<short>(op.flags), 0};
  if (poll(&polled, 1, /*timeout=*/-1) < 0) return -1;
  if ((polled.revents & POLLNVAL) != 0) return errno = EBADF, -1;
  return polled.revents;
}

int64_t Accept(const Operation& op) {
  return accept4(op.fd, static_cast<sockaddr*>(op.address),
                 static_cast<socklen_t*>(op.address2),
                 static_cast<int>(op.flags));
}

int64_t WaitForProcess(const Operation& op) {
  siginfo_t ignored;
  auto* info = static_cast<siginfo_t*>(op.address);
  return waitid(P_PIDFD, static_cast<id_t>(op.fd),
                info != nullptr ? info : &ignored, WEXITED);
}

// --- Files

// glibc has no function for it.
int64_t OpenAt2(const Operation& op) {
  return syscall(SYS_openat2, op.fd, op.address, op.address2, sizeof(open_how));
}

int64_t Seek(const Operation& op) {
  const off_t position = lseek(op.fd, op.offset, static_cast<int>(op.flags));
  if (position < 0) return -1;
  *static_cast<int64_t*>(op.address) = position;
  return 0;
}

int64_t CopyFileRange(const Operation& op) {
  off_t from_offset = op.offset2;
  off_t to_offset = op.offset;
  return copy_file_range(op.fd2, OrCurrent(from_offset), op.fd,
                         OrCurrent(to_offset), op.length, /*flags=*/0);
}

int64_t Lock(const Operation& op) {
  struct flock lock = {};
  lock.l_type = static_cast<short>(op.flags);
  lock.l_whence = SEEK_SET;
  lock.l_start = op.offset;
  lock.l_len = op.offset2;
  const int rc = fcntl(op.fd, F_OFD_SETLK, &lock);
  if (rc < 0 && errno == EACCES) errno = EAGAIN;  // POSIX allows either
  return rc;
}

// fchmodat(2) and utimensat(2) do not know AT_EMPTY_PATH everywhere.
bool IsOfFdItself(const Operation& op) {
  return (op.flags & AT_EMPTY_PATH) != 0 &&
         *static_cast<const char*>(op.address) == '\0';
}

int64_t Chmod(const Operation& op) {
  if (IsOfFdItself(op)) return fchmod(op.fd, op.length);
  return fchmodat(op.fd, static_cast<const char*>(op.address), op.length,
                  static_cast<int>(op.flags));
}

int64_t SetTimes(const Operation& op) {
  auto* times = static_cast<const timespec*>(op.address2);
  if (IsOfFdItself(op)) return futimens(op.fd, times);
  return utimensat(op.fd, static_cast<const char*>(op.address), times,
                   static_cast<int>(op.flags));
}

int64_t RealPath(const Operation& op) {
  char resolved[PATH_MAX];
  if (realpath(static_cast<const char*>(op.address), resolved) == nullptr)
    return -1;
  const size_t length = strlen(resolved);
  if (length > op.length) return errno = ENAMETOOLONG, -1;
  memcpy(op.address2, resolved, length);
  return static_cast<int64_t>(length);
}

int64_t Unsupported() { return errno = EOPNOTSUPP, -1; }

// Like the system call: -1 and errno for an error.
int64_t Call(const Operation& op) {
  const int flags = static_cast<int>(op.flags);
  auto* path = static_cast<const char*>(op.address);
  auto* new_path = static_cast<const char*>(op.address2);
  auto* address = static_cast<const sockaddr*>(op.address);
  auto* message = static_cast<msghdr*>(op.address);
  switch (op.opcode) {
    case OpCode::kNop:
      return 0;
    case OpCode::kRead:
    case OpCode::kReadv:
    case OpCode::kWrite:
    case OpCode::kWritev:
      return Transfer(op);
    case OpCode::kClose:
      return close(op.fd);
    case OpCode::kPoll:
      return Poll(op);
    case OpCode::kSplice:
      return Splice(op);
    case OpCode::kSendFile:
      return SendFile(op);
    case OpCode::kSocket:
      return socket(op.fd, static_cast<int>(op.offset),
                    static_cast<int>(op.length));
    case OpCode::kBind:
      return bind(op.fd, address, op.length);
    case OpCode::kListen:
      return listen(op.fd, static_cast<int>(op.length));
    case OpCode::kAccept:
      return Accept(op);
    case OpCode::kConnect:
      return connect(op.fd, address, op.length);
    case OpCode::kShutdown:
      return shutdown(op.fd, flags);
    case OpCode::kRecv:
      return recv(op.fd, op.address, op.length, flags);
    case OpCode::kRecvMsg:
      return recvmsg(op.fd, message, flags);
    case OpCode::kSend:
    case OpCode::kSendZeroCopy:
      return send(op.fd, op.address, op.length, flags);
    case OpCode::kSendMsg:
    case OpCode::kSendMsgZeroCopy:
      return sendmsg(op.fd, message, flags);
    case OpCode::kOpenAt:
      return openat(op.fd, path, flags, op.length);
    case OpCode::kStatx:
      return statx(op.fd, path, flags, op.length,
                   static_cast<struct statx*>(op.address2));
    case OpCode::kFsync:
      return op.flags == kFsyncDataOnly ? fdatasync(op.fd) : fsync(op.fd);
    case OpCode::kSyncFileRange:
      return sync_file_range(op.fd, op.offset, op.length, op.flags);
    case OpCode::kFallocate:
      return fallocate(op.fd, flags, op.offset, op.offset2);
    case OpCode::kTruncate:
      return ftruncate(op.fd, op.offset);
    case OpCode::kRename:
      return renameat2(op.fd, path, op.fd2, new_path, op.flags);
    case OpCode::kUnlink:
      return unlinkat(op.fd, path, flags);
    case OpCode::kMkdir:
      return mkdirat(op.fd, path, op.length);
    case OpCode::kLink:
      return linkat(op.fd, path, op.fd2, new_path, flags);
    case OpCode::kSymlink:
      return symlinkat(path, op.fd2, new_path);
    case OpCode::kOpenAt2:
      return OpenAt2(op);
    case OpCode::kReadLink:
      return readlinkat(op.fd, path, static_cast<char*>(op.address2),
                        op.length);
    case OpCode::kGetDents:
      return getdents64(op.fd, op.address, op.length);
    case OpCode::kSeek:
      return Seek(op);
    case OpCode::kCopyFileRange:
      return CopyFileRange(op);
    case OpCode::kFadvise:  // returns an errno
      errno = posix_fadvise(op.fd, op.offset, op.length, flags);
      return errno == 0 ? 0 : -1;
    case OpCode::kLock:
      return Lock(op);
    case OpCode::kChmod:
      return Chmod(op);
    case OpCode::kChown:
      return fchownat(op.fd, path, static_cast<uid_t>(op.offset),
                      static_cast<gid_t>(op.offset2), flags);
    case OpCode::kSetTimes:
      return SetTimes(op);
    case OpCode::kAccess:
      return faccessat(op.fd, path, static_cast<int>(op.length), flags);
    case OpCode::kStatFs:
      return statfs(path, static_cast<struct statfs*>(op.address2));
    case OpCode::kRealPath:
      return RealPath(op);
    case OpCode::kMakeWatcher:
      return inotify_init1(flags);
    case OpCode::kAddWatch:
      return inotify_add_watch(op.fd, path, op.flags);
    case OpCode::kRemoveWatch:
      return inotify_rm_watch(op.fd, static_cast<int>(op.length));
    case OpCode::kWaitPid:
      return WaitForProcess(op);
    case OpCode::kPollMultishot:
    case OpCode::kAcceptMultishot:
    case OpCode::kRecvMultishot:
    case OpCode::kRecvMsgMultishot:
    case OpCode::kUringCommand:
      return Unsupported();
  }
  return Unsupported();
}

}  // namespace

int32_t RunSystemCall(const Operation& op) {
  const int64_t result = Call(op);
  return result < 0 ? -errno : static_cast<int32_t>(result);
}

int32_t ReadCached(const Operation& op, uint32_t most) {
  // At a position a part would be lost.
  if (op.length > most || op.offset < 0 || (op.flags & kDirectIo) != 0)
    return -EAGAIN;
  const iovec whole = {op.address, op.length};
  const ssize_t n = preadv2(op.fd, &whole, 1, op.offset, RWF_NOWAIT);
  return n > 0 ? static_cast<int32_t>(n) : -EAGAIN;
}

}  // namespace ringway
