// SPDX-License-Identifier: Apache-2.0
//
// Sends and receives that do not block, and continue where they left off.
//
// MSG_WAITALL means "all of it" to io_uring, also for sends, and over several
// waits. Here each step moves what it can; Operation::offset counts.

#ifndef RINGWAY_BACKENDS_EPOLL_SOCKET_TRANSFER_H_
#define RINGWAY_BACKENDS_EPOLL_SOCKET_TRANSFER_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "backends/operation.h"

namespace ringway::epoll {

// The opcodes of StepTransfer(): one-shot sends and receives.
bool IsTransfer(OpCode opcode);

// Moves what can be moved now. Returns the result, or -EAGAIN as long as there
// is something to wait for.
int32_t StepTransfer(Operation& op);

// One receive of a multishot operation into `buffer`. Returns bytes, -EAGAIN or
// -errno.
int32_t ReceiveBytes(const Operation& op, std::span<std::byte> buffer);
// The same for a datagram, laid out as in datagram.h: the result counts the
// header, so that 0 is the end of a stream and not an empty datagram.
int32_t ReceiveDatagram(const Operation& op, std::span<std::byte> buffer);

}  // namespace ringway::epoll

#endif  // RINGWAY_BACKENDS_EPOLL_SOCKET_TRANSFER_H_
