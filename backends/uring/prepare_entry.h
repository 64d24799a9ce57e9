// SPDX-License-Identifier: Apache-2.0
//
// How Operations map to io_uring: which opcode, and what submission entry.

#ifndef RINGWAY_BACKENDS_URING_PREPARE_ENTRY_H_
#define RINGWAY_BACKENDS_URING_PREPARE_ENTRY_H_

#include <liburing.h>

#include "ringway/backends/operation.h"

namespace ringway::uring {

// The IORING_OP_* behind `opcode`. kSendFile, which has none, gives that of the
// splices it is made of.
uint8_t KernelOpcode(OpCode opcode);

// Writes `op` to `sqe`, which is zeroed; its user_data becomes the operation's
// address.
void PrepareEntry(Operation& op, io_uring_sqe& sqe);

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_PREPARE_ENTRY_H_
