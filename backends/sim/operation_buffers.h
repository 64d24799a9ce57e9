// SPDX-License-Identifier: Apache-2.0
//
// The memory of an operation, as Buffers.

#ifndef RINGWAY_BACKENDS_SIM_OPERATION_BUFFERS_H_
#define RINGWAY_BACKENDS_SIM_OPERATION_BUFFERS_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <span>

#include "ringway/backends/operation.h"
#include "ringway/backends/sim/environment/buffers.h"

namespace ringway::sim {

// The memory of a read, write, receive or send of any kind.
inline Buffers TransferOf(const Operation& op) {
  switch (op.opcode) {
    case OpCode::kReadv:
    case OpCode::kWritev:
      return Buffers(
          std::span(static_cast<const iovec*>(op.address), op.length));
    case OpCode::kRecvMsg:
    case OpCode::kSendMsg:
    case OpCode::kSendMsgZeroCopy: {
      const msghdr& message = *static_cast<const msghdr*>(op.address);
      return Buffers(
          std::span<const iovec>(message.msg_iov, message.msg_iovlen));
    }
    default:
      return Buffers(op.address, op.length);
  }
}

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_OPERATION_BUFFERS_H_
