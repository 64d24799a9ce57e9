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

#include "ringway/backends/operation.h"

namespace ringway {

// Before the start: keeps the position in op.backend if `op` is a transfer at
// it. Returns the number of system calls that this took: 0 or 1.
int NotePosition(Operation& op);

// After the end, with the kernel's result: makes up for what it has left out.
void AdvancePosition(const Operation& op, int32_t result);

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_FILE_POSITION_H_
