// SPDX-License-Identifier: Apache-2.0
//
// RunSystemCall: an operation as the plain system call of the same name.
//
// For threads that may block: what has no asynchronous form runs there. It
// blocks like the call itself, for as long as a socket's peer likes if the fd
// is a socket in blocking mode.

#ifndef RINGWAY_BACKENDS_COMMON_SYSTEM_CALL_H_
#define RINGWAY_BACKENDS_COMMON_SYSTEM_CALL_H_

#include <cstdint>

#include "ringway/backends/operation.h"

namespace ringway {

// What the call returned, or -errno. Multishot receives, accepts and polls, and
// what only io_uring has, are -EOPNOTSUPP. Changes nothing in `op`.
//
// Threads: any, as long as nobody else touches `op`'s arguments meanwhile.
int32_t RunSystemCall(const Operation& op);

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_SYSTEM_CALL_H_
