// SPDX-License-Identifier: Apache-2.0

#include "backends/uring/prepare_entry.h"

#include <sys/socket.h>

#include "backends/uring/buffer_ring.h"

namespace ringway::uring {

void PrepareEntry(Operation& op, io_uring_sqe& sqe) {
  // io_uring's "current position" is the same -1 as kCurrentPosition, as an
  // unsigned offset.
  const uint64_t offset = static_cast<uint64_t>(op.offset);
  const int flags = static_cast<int>(op.flags);
  switch (op.opcode) {
    case OpCode::kNop:
      io_uring_prep_nop(&sqe);
      break;
    case OpCode::kRead:
      io_uring_prep_read(&sqe, op.fd, op.address, op.length, offset);
      break;
    case OpCode::kWrite:
      io_uring_prep_write(&sqe, op.fd, op.address, op.length, offset);
      break;
    case OpCode::kRecv:
      io_uring_prep_recv(&sqe, op.fd, op.address, op.length, flags);
      break;
    case OpCode::kSend:
      io_uring_prep_send(&sqe, op.fd, op.address, op.length, flags);
      break;
    case OpCode::kRecvMsg:
      io_uring_prep_recvmsg(&sqe, op.fd, static_cast<msghdr*>(op.address),
                            op.flags);
      break;
    case OpCode::kSendMsg:
      io_uring_prep_sendmsg(&sqe, op.fd, static_cast<const msghdr*>(op.address),
                            op.flags);
      break;
    case OpCode::kRecvMultishot:
      io_uring_prep_recv_multishot(&sqe, op.fd, nullptr, 0, flags);
      sqe.flags |= IOSQE_BUFFER_SELECT;
      sqe.buf_group = BufferRing::kGroup;
      break;
    case OpCode::kAccept:
      io_uring_prep_accept(&sqe, op.fd, static_cast<sockaddr*>(op.address),
                           op.address_length, flags);
      break;
    case OpCode::kAcceptMultishot:
      io_uring_prep_multishot_accept(&sqe, op.fd, nullptr, nullptr, flags);
      break;
    case OpCode::kConnect:
      io_uring_prep_connect(
          &sqe, op.fd, static_cast<const sockaddr*>(op.address), op.length);
      break;
    case OpCode::kSocket:
      io_uring_prep_socket(&sqe, op.fd, static_cast<int>(op.offset),
                           static_cast<int>(op.length), 0);
      break;
    case OpCode::kShutdown:
      io_uring_prep_shutdown(&sqe, op.fd, flags);
      break;
    case OpCode::kClose:
      io_uring_prep_close(&sqe, op.fd);
      break;
    case OpCode::kPoll:
      io_uring_prep_poll_add(&sqe, op.fd, op.flags);
      break;
  }
  sqe.user_data = reinterpret_cast<uintptr_t>(&op);
}

}  // namespace ringway::uring
