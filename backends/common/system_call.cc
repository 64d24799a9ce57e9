// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/system_call.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

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

}  // namespace ringway
