// SPDX-License-Identifier: Apache-2.0
//
// Sends and receives that do not block, and continue where they left off.
//
// MSG_WAITALL means "all of it" to io_uring, also for sends, and over several
// waits. Here each step moves what it can; BackendState::progress
// counts.

#ifndef RINGWAY_BACKENDS_EPOLL_SOCKET_TRANSFER_H_
#define RINGWAY_BACKENDS_EPOLL_SOCKET_TRANSFER_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "ringway/backends/operation.h"

namespace ringway::epoll {

// The opcodes of StepTransfer(): one-shot sends and receives.
bool IsTransfer(OpCode opcode);

// What StepTransfer() moves of a stream at most: a peer that drains as fast as
// it is sent to would hold the loop up for the whole of a transfer.
inline constexpr int64_t kMaxStep = 1 << 20;

// StepTransfer(): it has moved kMaxStep, and need not wait to go on.
inline constexpr int32_t kMoreToMove = INT32_MIN;

// Moves what can be moved now, at most kMaxStep where MSG_WAITALL lets it go
// on. Returns the result, kMoreToMove, or -EAGAIN as long as there is something
// to wait for.
int32_t StepTransfer(Operation& op);

// One receive of a multishot operation into `buffer`. Returns bytes, -EAGAIN or
// -errno.
int32_t ReceiveBytes(const Operation& op, std::span<std::byte> buffer);
// The same for a datagram, laid out as in datagram.h: the result counts the
// header, so that 0 is the end of a stream and not an empty datagram.
int32_t ReceiveDatagram(const Operation& op, std::span<std::byte> buffer);

}  // namespace ringway::epoll

#endif  // RINGWAY_BACKENDS_EPOLL_SOCKET_TRANSFER_H_
