// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/epoll/attempt.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "ringway/backends/common/or_errno.h"
#include "ringway/backends/common/system_call.h"
#include "ringway/backends/epoll/socket_transfer.h"
#include "ringway/backends/epoll/without_sigpipe.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/check.h"

namespace ringway::epoll {
namespace {

Attempt Done(int64_t result) {
  return {.next = Next::kDone, .result = static_cast<int32_t>(result)};
}
Attempt WhenReadable(int fd) { return {.next = Next::kReadable, .fd = fd}; }
Attempt WhenWritable(int fd) { return {.next = Next::kWritable, .fd = fd}; }

Attempt DoneOrReadable(int64_t result, int fd) {
  return result == -EAGAIN ? WhenReadable(fd) : Done(result);
}
Attempt DoneOrWritable(int64_t result, int fd) {
  return result == -EAGAIN ? WhenWritable(fd) : Done(result);
}

Attempt DoneUnlessWaiting(const Operation& op, int32_t result, Attempt wait) {
  if (result == kMoreToMove) return {.next = Next::kMore};
  const bool waits = result == -EAGAIN && (op.flags & MSG_DONTWAIT) == 0;
  return waits ? wait : Done(result);
}

// The current events of `events`, and errors; or -errno.
int32_t ReadyNow(int fd, uint32_t events) {
  if (fd < 0) return -EBADF;  // poll(2) skips it
  pollfd polled = {fd, static_cast<short>(events), 0};
  int rc;
  do {
    rc = poll(&polled, 1, /*timeout=*/0);
  } while (rc < 0 && errno == EINTR);
  if (rc < 0) return -errno;
  return (polled.revents & POLLNVAL) != 0 ? -EBADF : polled.revents;
}

// --- Reads and writes

// The type of `fd`, as in st_mode; 0 for a bad fd.
mode_t TypeOf(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 ? info.st_mode & S_IFMT : 0;
}

// True for types that are always ready but may wait for a disk.
bool IsDiskType(mode_t type) {
  return S_ISREG(type) || S_ISBLK(type) || S_ISDIR(type);
}
bool IsOnDisk(int fd) { return IsDiskType(TypeOf(fd)); }

bool IsWrite(OpCode opcode) {
  return opcode == OpCode::kWrite || opcode == OpCode::kWritev;
}

bool IsVectored(OpCode opcode) {
  return opcode == OpCode::kReadv || opcode == OpCode::kWritev;
}

struct Vectors {
  const iovec* first;
  int count;
};

int64_t TransferAt(const Operation& op, Vectors vectors, int64_t offset,
                   int flags) {
  const auto transfer = IsWrite(op.opcode) ? pwritev2 : preadv2;
  return OrErrno(transfer(op.fd, vectors.first, vectors.count, offset, flags));
}

int64_t Transfer(const Operation& op, Vectors vectors, int flags) {
  const int64_t n = TransferAt(op, vectors, op.offset, flags);
  // io_uring ignores the offset for files without a position.
  return n == -ESPIPE && op.offset != kCurrentPosition
             ? TransferAt(op, vectors, kCurrentPosition, flags)
             : n;
}

// The plain call, for files that refuse RWF_NOWAIT: it does not block if
// poll(2) reports readiness. A write could block if it is larger than the
// room that poll(2) guarantees.
int64_t TransferReady(const Operation& op, Vectors vectors) {
  if (!IsWrite(op.opcode)) return Transfer(op, vectors, 0);
  const iovec* end = vectors.first + vectors.count;
  const iovec* part = std::find_if(
      vectors.first, end, [](const iovec& v) { return v.iov_len > 0; });
  if (part == end) return Transfer(op, vectors, 0);
  const iovec capped = {part->iov_base,
                        std::min<size_t>(part->iov_len, PIPE_BUF)};
  return Transfer(op, {&capped, 1}, 0);
}

// True if a short read of `n` bytes of a regular file ended at the end of the
// file, and not at the end of the cached part.
bool EndsWithFile(const Operation& op, int64_t n) {
  struct stat info;
  if (fstat(op.fd, &info) != 0 || !S_ISREG(info.st_mode)) return true;
  const int64_t end =
      op.offset == kCurrentPosition ? lseek(op.fd, 0, SEEK_CUR) : op.offset + n;
  return end >= info.st_size;
}

int64_t TotalBytes(Vectors vectors) {
  int64_t total = 0;
  for (int i = 0; i < vectors.count; ++i) {
    total += static_cast<int64_t>(vectors.first[i].iov_len);
  }
  return total;
}

// Repeats the whole read on a thread that may wait for the disk.
Attempt ReadAgainOffloaded(const Operation& op, int64_t n) {
  if (op.offset == kCurrentPosition && n > 0) lseek(op.fd, -n, SEEK_CUR);
  return {.next = Next::kOffload};
}

// Uses send, because write(2) would raise SIGPIPE.
Attempt WriteToSocket(const Operation& op, Vectors vectors) {
  if (vectors.count < 0 || vectors.count > IOV_MAX) return Done(-EINVAL);
  if (TotalBytes(vectors) == 0) return Done(0);
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(vectors.first);
  message.msg_iovlen = static_cast<size_t>(vectors.count);
  return DoneOrWritable(
      OrErrno(sendmsg(op.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL)), op.fd);
}

Attempt TryReadOrWrite(const Operation& op) {
  if ((op.flags & kDirectIo) != 0) return {.next = Next::kOffload};
  const iovec whole = {op.address, op.length};
  const Vectors vectors = IsVectored(op.opcode)
                              ? Vectors{static_cast<const iovec*>(op.address),
                                        static_cast<int>(op.length)}
                              : Vectors{&whole, 1};
  const bool write = IsWrite(op.opcode);
  if (write) {
    const mode_t type = TypeOf(op.fd);
    if (IsDiskType(type)) return {.next = Next::kOffload};
    if (S_ISSOCK(type)) return WriteToSocket(op, vectors);
  }
  int64_t n = Transfer(op, vectors, RWF_NOWAIT);
  if (n == -EOPNOTSUPP || n == -EAGAIN) {
    if (IsOnDisk(op.fd)) return {.next = Next::kOffload};
    const bool refused = n == -EOPNOTSUPP;
    if (refused && ReadyNow(op.fd, write ? POLLOUT : POLLIN) != 0) {
      n = TransferReady(op, vectors);
    } else {
      n = -EAGAIN;
    }
  } else if (!write && n > 0 && n < TotalBytes(vectors) &&
             !EndsWithFile(op, n)) {
    return ReadAgainOffloaded(op, n);
  }
  return write ? DoneOrWritable(n, op.fd) : DoneOrReadable(n, op.fd);
}

// --- Sockets

Attempt TrySocket(const Operation& op) {
  return Done(OrErrno(
      socket(op.fd, static_cast<int>(op.offset), static_cast<int>(op.length))));
}

Attempt TryAccept(const Operation& op) {
  return DoneOrReadable(
      OrErrno(accept4(op.fd, static_cast<sockaddr*>(op.address),
                      static_cast<socklen_t*>(op.address2),
                      static_cast<int>(op.flags))),
      op.fd);
}

// The result of a handshake.
Attempt FinishConnect(const Operation& op) {
  const int32_t ready = ReadyNow(op.fd, POLLOUT);
  if (ready == 0) return WhenWritable(op.fd);
  if (ready < 0) return Done(ready);
  int error = 0;
  socklen_t length = sizeof(error);
  if (getsockopt(op.fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
    return Done(-errno);
  }
  return Done(-error);
}

Attempt TryConnect(Operation& op) {
  if (op.backend.connecting) return FinishConnect(op);
  auto* address = static_cast<const sockaddr*>(op.address);
  MakeNonBlocking(op.fd);
  const int64_t result = OrErrno(connect(op.fd, address, op.length));
  if (result == -EINPROGRESS || result == -EINTR) {
    op.backend.connecting = true;
    return WhenWritable(op.fd);
  }
  // The listener's queue is full, and there is no event for free room in it.
  if (result == -EAGAIN && address->sa_family == AF_UNIX) {
    return {.next = Next::kSoon};
  }
  return Done(result);
}

// --- Both sides

// The side that a blocked splice must wait for.
Attempt WhenSpliceable(const Operation& op) {
  return ReadyNow(op.fd2, POLLIN) == 0 ? WhenReadable(op.fd2)
                                       : WhenWritable(op.fd);
}

// True if the flags forbid waiting.
bool MustNotWait(const Operation& op) {
  return (op.flags & SPLICE_F_NONBLOCK) != 0;
}

Attempt TrySplice(Operation& op) {
  op.backend.must_not_wait = true;
  bool on_disk = false;
  for (int fd : {op.fd, op.fd2}) {
    const mode_t type = TypeOf(fd);
    on_disk |= IsDiskType(type);
    // SPLICE_F_NONBLOCK only affects pipes, whose mode stays unchanged.
    if (!S_ISFIFO(type) && !IsDiskType(type)) MakeNonBlocking(fd);
  }
  if (on_disk) return {.next = Next::kOffload};
  const int32_t n = RunWithoutSigPipe(op);
  return n == -EAGAIN && !MustNotWait(op) ? WhenSpliceable(op) : Done(n);
}

Attempt TryPoll(const Operation& op) {
  const int32_t ready = ReadyNow(op.fd, op.flags);
  return ready == 0 ? WhenReadable(op.fd) : Done(ready);
}

Attempt TryWaitPid(const Operation& op) {
  siginfo_t info = {};
  if (waitid(P_PIDFD, static_cast<id_t>(op.fd), &info, WEXITED | WNOHANG) !=
      0) {
    return DoneOrReadable(-errno, op.fd);
  }
  if (info.si_pid == 0) return WhenReadable(op.fd);  // it is still running
  if (op.address != nullptr) *static_cast<siginfo_t*>(op.address) = info;
  return Done(0);
}

}  // namespace

Attempt AfterSend(const Operation& op, int32_t result) {
  return DoneUnlessWaiting(op, result, WhenWritable(op.fd));
}

Attempt AfterReceive(const Operation& op, int32_t result) {
  return DoneUnlessWaiting(op, result, WhenReadable(op.fd));
}

Attempt Try(Operation& op) {
  switch (op.opcode) {
    case OpCode::kRead:
    case OpCode::kReadv:
    case OpCode::kWrite:
    case OpCode::kWritev:
      return TryReadOrWrite(op);
    case OpCode::kPoll:
      return TryPoll(op);
    case OpCode::kSplice:
      return TrySplice(op);
    case OpCode::kSocket:
      return TrySocket(op);
    case OpCode::kAccept:
    case OpCode::kAcceptMultishot:
      return TryAccept(op);
    case OpCode::kConnect:
      return TryConnect(op);
    case OpCode::kRecv:
    case OpCode::kRecvMsg:
      return AfterReceive(op, StepTransfer(op));
    case OpCode::kSend:
    case OpCode::kSendMsg:
    case OpCode::kSendZeroCopy:
    case OpCode::kSendMsgZeroCopy:
      return AfterSend(op, StepTransfer(op));
    case OpCode::kWaitPid:
      return TryWaitPid(op);
    case OpCode::kNop:
    case OpCode::kClose:
    case OpCode::kBind:
    case OpCode::kListen:
    case OpCode::kShutdown:
    case OpCode::kMakeWatcher:
    case OpCode::kRemoveWatch:
    case OpCode::kUringCommand:
      return Done(RunSystemCall(op));  // none of these waits
    case OpCode::kSendFile:
      MakeNonBlocking(op.fd);
      return {.next = Next::kOffload};
    case OpCode::kOpenAt:
    case OpCode::kStatx:
    case OpCode::kFsync:
    case OpCode::kSyncFileRange:
    case OpCode::kFallocate:
    case OpCode::kTruncate:
    case OpCode::kRename:
    case OpCode::kUnlink:
    case OpCode::kMkdir:
    case OpCode::kLink:
    case OpCode::kSymlink:
    case OpCode::kOpenAt2:
    case OpCode::kReadLink:
    case OpCode::kGetDents:
    case OpCode::kSeek:
    case OpCode::kCopyFileRange:
    case OpCode::kFadvise:
    case OpCode::kLock:
    case OpCode::kChmod:
    case OpCode::kChown:
    case OpCode::kSetTimes:
    case OpCode::kAccess:
    case OpCode::kStatFs:
    case OpCode::kRealPath:
    case OpCode::kAddWatch:
      return {.next = Next::kOffload};
    case OpCode::kPollMultishot:
    case OpCode::kRecvMultishot:
    case OpCode::kRecvMsgMultishot:
      break;
  }
  RINGWAY_CHECK(false, "a %s operation cannot be tried", OpCodeName(op.opcode));
  __builtin_unreachable();
}

Attempt AfterOffloadedAttempt(const Operation& op) {
  if (MustNotWait(op)) return Done(-EAGAIN);
  return op.opcode == OpCode::kSplice ? WhenSpliceable(op)
                                      : WhenWritable(op.fd);
}

int32_t ResultIfCancelled(const Operation& op) {
  return op.backend.progress > 0 ? static_cast<int32_t>(op.backend.progress)
                                 : -ECANCELED;
}

Queue QueueOf(OpCode opcode) {
  switch (TraitsOf(opcode).waits) {
    case opcode::kToRead:
      return Queue::kReaders;
    case opcode::kToWrite:
      return Queue::kWriters;
    case opcode::kForEvents:
      return Queue::kPollers;
    case opcode::kNever:
    case opcode::kTwoSides:
      break;
  }
  return Queue::kNone;
}

void MakeNonBlocking(int fd) {
  int on = 1;
  ioctl(fd, FIONBIO, &on);
}

}  // namespace ringway::epoll
