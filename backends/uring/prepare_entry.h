// SPDX-License-Identifier: Apache-2.0
//
// PrepareEntry: writes an Operation as an io_uring submission entry.

#ifndef RINGWAY_BACKENDS_URING_PREPARE_ENTRY_H_
#define RINGWAY_BACKENDS_URING_PREPARE_ENTRY_H_

#include <liburing.h>

#include "backends/operation.h"

namespace ringway::uring {

// `sqe` is zeroed; its user_data becomes the operation's address.
void PrepareEntry(Operation& op, io_uring_sqe& sqe);

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_PREPARE_ENTRY_H_
