// SPDX-License-Identifier: Apache-2.0
//
// The position of a file, which a transfer at kCurrentPosition advances. On
// io_uring not always: if a part was transferred and the kernel's next attempt
// fails, as on a full disk, the result is the part, but the position stays
// (measured on Linux 6.18; io_rw_done() of io_uring/rw.c sees the error). The
// next transfer would begin there again and overwrite the part.

#ifndef RINGWAY_BACKENDS_COMMON_FILE_POSITION_H_
#define RINGWAY_BACKENDS_COMMON_FILE_POSITION_H_

#include <cstdint>

#include "ringway/backends/common/transfer.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/prepare.h"

namespace ringway {

inline bool IsAtPosition(const Operation& op) {
  return op.offset == kCurrentPosition && IsTransfer(op);
}

// Before the start of an operation that IsAtPosition(): keeps the position in
// op.backend. One system call.
void NotePosition(Operation& op);

// After its end, with the kernel's result: makes up for what that has left out.
void AdvancePosition(const Operation& op, int32_t result);

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_FILE_POSITION_H_
