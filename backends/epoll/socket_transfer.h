// SPDX-License-Identifier: Apache-2.0
//
// Non-blocking sends and receives that continue where they stopped.
//
// On io_uring MSG_WAITALL completes the whole transfer, for sends too, across
// several waits. Here each step moves as many bytes as possible and
// BackendState::progress counts them.

#ifndef RINGWAY_BACKENDS_EPOLL_SOCKET_TRANSFER_H_
#define RINGWAY_BACKENDS_EPOLL_SOCKET_TRANSFER_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "ringway/backends/operation.h"

namespace ringway::epoll {

// The opcodes of StepTransfer(): one-shot sends and receives.
bool IsTransfer(OpCode opcode);

// The most that StepTransfer() moves on a stream: with a peer that reads as
// fast as data is sent, a whole transfer would otherwise block the loop.
inline constexpr int64_t kMaxStep = 1 << 20;

// StepTransfer() has moved kMaxStep and can continue without waiting.
inline constexpr int32_t kMoreToMove = INT32_MIN;

// Moves as much as possible now, with MSG_WAITALL at most kMaxStep. Returns
// the result, kMoreToMove, or -EAGAIN if it must wait.
int32_t StepTransfer(Operation& op);

// One receive of a multishot operation into `buffer`. Returns bytes, -EAGAIN or
// -errno.
int32_t ReceiveBytes(const Operation& op, std::span<std::byte> buffer);
// The same for a datagram, in the layout of datagram.h. The result includes
// the header, so that 0 means end of stream and not an empty datagram.
int32_t ReceiveDatagram(const Operation& op, std::span<std::byte> buffer);

}  // namespace ringway::epoll

#endif  // RINGWAY_BACKENDS_EPOLL_SOCKET_TRANSFER_H_
