// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/prepare_entry.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstddef>
#include <cstring>

#include "ringway/backends/common/transfer.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/uring/kernel_constants.h"
#include "ringway/backends/uring/lent_buffers.h"
#include "ringway/core/check.h"

namespace ringway::uring {
namespace {

void SelectBuffer(const Operation& op, io_uring_sqe& sqe) {
  sqe.flags |= IOSQE_BUFFER_SELECT;
  sqe.buf_group = static_cast<uint16_t>(GroupOf(op.opcode));
}

// Entries that liburing 2.3 cannot prepare are encoded as in the kernel's
// io_uring/net.c, io_uring/truncate.c and io_uring/waitid.c.

void PrepareBindEntry(io_uring_sqe& sqe, int fd, const void* address,
                      uint32_t length) {
  sqe.opcode = kOpBind;
  sqe.fd = fd;
  sqe.addr = reinterpret_cast<uintptr_t>(address);
  sqe.addr2 = length;
}

void PrepareListenEntry(io_uring_sqe& sqe, int fd, uint32_t backlog) {
  sqe.opcode = kOpListen;
  sqe.fd = fd;
  sqe.len = backlog;
}

void PrepareTruncateEntry(io_uring_sqe& sqe, int fd, int64_t n_bytes) {
  sqe.opcode = kOpTruncate;
  sqe.fd = fd;
  sqe.off = static_cast<uint64_t>(n_bytes);
}

void PrepareWaitPidEntry(io_uring_sqe& sqe, int pidfd, siginfo_t* info) {
  sqe.opcode = kOpWaitId;
  sqe.fd = pidfd;
  sqe.len = P_PIDFD;
  sqe.file_index = WEXITED;
  sqe.addr2 = reinterpret_cast<uintptr_t>(info);
}

// A multishot receive of Linux 6.18 can miss the end of the stream, or a reset,
// that immediately follows the bytes it delivers, and then waits forever (see
// also axboe/liburing issue 1549); a newly started one reports it. So it stays
// armed only if something else watches for the end, and otherwise makes one
// delivery. If the previous receive has emptied the socket, this one polls
// first, because an attempt would find nothing.
void PrepareReceive(const Operation& op, io_uring_sqe& sqe) {
  const int flags = static_cast<int>(op.flags);
  if (op.backend.own_buffer != 0) {
    io_uring_prep_recv(&sqe, op.fd, op.backend.memory, op.backend.memory_bytes,
                       flags);
    return;
  }
  io_uring_prep_recv(&sqe, op.fd, nullptr, 0, flags);
  SelectBuffer(op, sqe);
  if (op.backend.end_watch == EndWatch::kArmed &&
      op.backend.small_deliveries != kNeverStays) {
    sqe.ioprio |= IORING_RECV_MULTISHOT;
  }
  if (op.backend.drained) sqe.ioprio |= IORING_RECVSEND_POLL_FIRST;
}

// Beyond it a transfer costs more than to hand it to a kernel thread.
constexpr size_t kMostOnLoop = size_t{1} << 20;

bool RunsElsewhere(const Operation& op) {
  return IsTransfer(op) && (op.flags & kElsewhereIfLong) != 0 &&
         TransferLength(op) > kMostOnLoop;
}

}  // namespace

uint8_t KernelOpcode(OpCode opcode) {
  switch (opcode) {
    case OpCode::kNop:
      return IORING_OP_NOP;
    case OpCode::kRead:
      return IORING_OP_READ;
    case OpCode::kReadv:
      return IORING_OP_READV;
    case OpCode::kWrite:
      return IORING_OP_WRITE;
    case OpCode::kWritev:
      return IORING_OP_WRITEV;
    case OpCode::kClose:
      return IORING_OP_CLOSE;
    case OpCode::kPoll:
    case OpCode::kPollMultishot:
      return IORING_OP_POLL_ADD;
    case OpCode::kSplice:
    case OpCode::kSendFile:
      return IORING_OP_SPLICE;
    case OpCode::kSocket:
      return IORING_OP_SOCKET;
    case OpCode::kBind:
      return kOpBind;
    case OpCode::kListen:
      return kOpListen;
    case OpCode::kAccept:
    case OpCode::kAcceptMultishot:
      return IORING_OP_ACCEPT;
    case OpCode::kConnect:
      return IORING_OP_CONNECT;
    case OpCode::kShutdown:
      return IORING_OP_SHUTDOWN;
    case OpCode::kRecv:
    case OpCode::kRecvMultishot:
      return IORING_OP_RECV;
    case OpCode::kRecvMsg:
    case OpCode::kRecvMsgMultishot:
      return IORING_OP_RECVMSG;
    case OpCode::kSend:
      return IORING_OP_SEND;
    case OpCode::kSendMsg:
      return IORING_OP_SENDMSG;
    case OpCode::kSendZeroCopy:
      return IORING_OP_SEND_ZC;
    case OpCode::kSendMsgZeroCopy:
      return IORING_OP_SENDMSG_ZC;
    case OpCode::kOpenAt:
      return IORING_OP_OPENAT;
    case OpCode::kStatx:
      return IORING_OP_STATX;
    case OpCode::kFsync:
      return IORING_OP_FSYNC;
    case OpCode::kSyncFileRange:
      return IORING_OP_SYNC_FILE_RANGE;
    case OpCode::kFallocate:
      return IORING_OP_FALLOCATE;
    case OpCode::kTruncate:
      return kOpTruncate;
    case OpCode::kRename:
      return IORING_OP_RENAMEAT;
    case OpCode::kUnlink:
      return IORING_OP_UNLINKAT;
    case OpCode::kMkdir:
      return IORING_OP_MKDIRAT;
    case OpCode::kLink:
      return IORING_OP_LINKAT;
    case OpCode::kSymlink:
      return IORING_OP_SYMLINKAT;
    case OpCode::kOpenAt2:
      return IORING_OP_OPENAT2;
    case OpCode::kFadvise:
      return IORING_OP_FADVISE;
    case OpCode::kReadLink:
    case OpCode::kGetDents:
    case OpCode::kSeek:
    case OpCode::kCopyFileRange:
    case OpCode::kLock:
    case OpCode::kChmod:
    case OpCode::kChown:
    case OpCode::kSetTimes:
    case OpCode::kAccess:
    case OpCode::kStatFs:
    case OpCode::kRealPath:
    case OpCode::kMakeWatcher:
    case OpCode::kAddWatch:
    case OpCode::kRemoveWatch:
      return kNoKernelOpcode;
    case OpCode::kWaitPid:
      return kOpWaitId;
    case OpCode::kUringCommand:
      return IORING_OP_URING_CMD;
  }
  RINGWAY_CHECK(false, "no such opcode: %d", static_cast<int>(opcode));
}

void PrepareEntry(Operation& op, io_uring_sqe& sqe) {
  // io_uring's "current position" is the same -1 as kCurrentPosition, as an
  // unsigned offset.
  const uint64_t offset = static_cast<uint64_t>(op.offset);
  const int flags = static_cast<int>(op.flags);
  auto* path = static_cast<const char*>(op.address);
  auto* new_path = static_cast<const char*>(op.address2);
  switch (op.opcode) {
    case OpCode::kNop:
      io_uring_prep_nop(&sqe);
      break;
    case OpCode::kRead:
      io_uring_prep_read(&sqe, op.fd, op.address, op.length, offset);
      break;
    case OpCode::kReadv:
      io_uring_prep_readv(&sqe, op.fd, static_cast<const iovec*>(op.address),
                          op.length, offset);
      break;
    case OpCode::kWrite:
      io_uring_prep_write(&sqe, op.fd, op.address, op.length, offset);
      break;
    case OpCode::kWritev:
      io_uring_prep_writev(&sqe, op.fd, static_cast<const iovec*>(op.address),
                           op.length, offset);
      break;
    case OpCode::kClose:
      io_uring_prep_close(&sqe, op.fd);
      break;
    case OpCode::kPoll:
      io_uring_prep_poll_add(&sqe, op.fd, op.flags);
      break;
    case OpCode::kPollMultishot:
      io_uring_prep_poll_multishot(&sqe, op.fd, op.flags);
      break;
    case OpCode::kSplice:
      io_uring_prep_splice(&sqe, op.fd2, op.offset2, op.fd, op.offset,
                           op.length, op.flags);
      break;
    case OpCode::kSocket:
      io_uring_prep_socket(&sqe, op.fd, static_cast<int>(op.offset),
                           static_cast<int>(op.length), 0);
      break;
    case OpCode::kBind:
      PrepareBindEntry(sqe, op.fd, op.address, op.length);
      break;
    case OpCode::kListen:
      PrepareListenEntry(sqe, op.fd, op.length);
      break;
    case OpCode::kAccept:
      io_uring_prep_accept(&sqe, op.fd, static_cast<sockaddr*>(op.address),
                           static_cast<socklen_t*>(op.address2), flags);
      break;
    case OpCode::kAcceptMultishot:
      io_uring_prep_multishot_accept(&sqe, op.fd, nullptr, nullptr, flags);
      break;
    case OpCode::kConnect:
      io_uring_prep_connect(
          &sqe, op.fd, static_cast<const sockaddr*>(op.address), op.length);
      break;
    case OpCode::kShutdown:
      io_uring_prep_shutdown(&sqe, op.fd, flags);
      break;
    case OpCode::kRecv:
      io_uring_prep_recv(&sqe, op.fd, op.address, op.length, flags);
      break;
    case OpCode::kRecvMsg:
      io_uring_prep_recvmsg(&sqe, op.fd, static_cast<msghdr*>(op.address),
                            op.flags);
      break;
    case OpCode::kRecvMultishot:
      PrepareReceive(op, sqe);
      break;
    case OpCode::kRecvMsgMultishot:
      io_uring_prep_recvmsg_multishot(
          &sqe, op.fd, static_cast<msghdr*>(op.address), op.flags);
      SelectBuffer(op, sqe);
      break;
    case OpCode::kSend:
      io_uring_prep_send(&sqe, op.fd, op.address, op.length, flags);
      break;
    case OpCode::kSendMsg:
      io_uring_prep_sendmsg(&sqe, op.fd, static_cast<const msghdr*>(op.address),
                            op.flags);
      break;
    case OpCode::kSendZeroCopy:
      io_uring_prep_send_zc(&sqe, op.fd, op.address, op.length, flags, 0);
      if (op.backend.copies) sqe.opcode = IORING_OP_SEND;
      break;
    case OpCode::kSendMsgZeroCopy:
      io_uring_prep_sendmsg_zc(
          &sqe, op.fd, static_cast<const msghdr*>(op.address), op.flags);
      if (op.backend.copies) sqe.opcode = IORING_OP_SENDMSG;
      break;
    case OpCode::kOpenAt:
      io_uring_prep_openat(&sqe, op.fd, path, flags, op.length);
      break;
    case OpCode::kStatx:
      io_uring_prep_statx(&sqe, op.fd, path, flags, op.length,
                          static_cast<struct statx*>(op.address2));
      break;
    case OpCode::kFsync:
      io_uring_prep_fsync(&sqe, op.fd, op.flags);
      break;
    case OpCode::kSyncFileRange:
      io_uring_prep_sync_file_range(&sqe, op.fd, op.length,
                                    static_cast<uint64_t>(op.offset), flags);
      break;
    case OpCode::kFallocate:
      io_uring_prep_fallocate(&sqe, op.fd, flags, op.offset, op.offset2);
      break;
    case OpCode::kTruncate:
      PrepareTruncateEntry(sqe, op.fd, op.offset);
      break;
    case OpCode::kRename:
      io_uring_prep_renameat(&sqe, op.fd, path, op.fd2, new_path, op.flags);
      break;
    case OpCode::kUnlink:
      io_uring_prep_unlinkat(&sqe, op.fd, path, flags);
      break;
    case OpCode::kMkdir:
      io_uring_prep_mkdirat(&sqe, op.fd, path, op.length);
      break;
    case OpCode::kLink:
      io_uring_prep_linkat(&sqe, op.fd, path, op.fd2, new_path, flags);
      break;
    case OpCode::kSymlink:
      io_uring_prep_symlinkat(&sqe, path, op.fd2, new_path);
      break;
    case OpCode::kOpenAt2:
      io_uring_prep_openat2(&sqe, op.fd, path,
                            static_cast<open_how*>(op.address2));
      break;
    case OpCode::kFadvise:
      io_uring_prep_fadvise(&sqe, op.fd, static_cast<uint64_t>(op.offset),
                            op.length, flags);
      break;
    case OpCode::kWaitPid:
      PrepareWaitPidEntry(sqe, op.fd, static_cast<siginfo_t*>(op.address));
      break;
    case OpCode::kUringCommand:
      sqe.opcode = IORING_OP_URING_CMD;
      sqe.fd = op.fd;
      sqe.cmd_op = op.flags;
      if (op.length > 0) memcpy(sqe.cmd, op.address, op.length);
      break;
    case OpCode::kSendFile:
    case OpCode::kReadLink:
    case OpCode::kGetDents:
    case OpCode::kSeek:
    case OpCode::kCopyFileRange:
    case OpCode::kLock:
    case OpCode::kChmod:
    case OpCode::kChown:
    case OpCode::kSetTimes:
    case OpCode::kAccess:
    case OpCode::kStatFs:
    case OpCode::kRealPath:
    case OpCode::kMakeWatcher:
    case OpCode::kAddWatch:
    case OpCode::kRemoveWatch:
      RINGWAY_CHECK(false, "%s has no entry of its own", OpCodeName(op.opcode));
  }
  if (RunsElsewhere(op)) sqe.flags |= IOSQE_ASYNC;
  sqe.user_data = reinterpret_cast<uintptr_t>(&op);
}

}  // namespace ringway::uring
