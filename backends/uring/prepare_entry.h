// SPDX-License-Identifier: Apache-2.0
//
// The mapping of Operations to io_uring opcodes and submission entries.

#ifndef RINGWAY_BACKENDS_URING_PREPARE_ENTRY_H_
#define RINGWAY_BACKENDS_URING_PREPARE_ENTRY_H_

#include <liburing.h>

#include "ringway/backends/operation.h"

namespace ringway::uring {

// For opcodes that helper threads run.
inline constexpr uint8_t kNoKernelOpcode = 255;

// BackendState::small_deliveries of a receive that is armed for each delivery
// from now on.
inline constexpr uint8_t kNeverStays = 255;

// The IORING_OP_* of `opcode`, or kNoKernelOpcode. For kSendFile, which has
// none, that of splice.
uint8_t KernelOpcode(OpCode opcode);

// Writes `op` to `sqe`, which must be zeroed; sets user_data to the
// operation's address.
void PrepareEntry(Operation& op, io_uring_sqe& sqe);

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_PREPARE_ENTRY_H_
