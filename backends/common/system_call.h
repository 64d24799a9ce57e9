// SPDX-License-Identifier: Apache-2.0
//
// RunSystemCall: runs an operation as the plain system call of the same name.
//
// For threads that may block. It blocks like the call itself; on a socket in
// blocking mode, possibly for as long as the peer does nothing.

#ifndef RINGWAY_BACKENDS_COMMON_SYSTEM_CALL_H_
#define RINGWAY_BACKENDS_COMMON_SYSTEM_CALL_H_

#include <cstdint>

#include "ringway/backends/operation.h"

namespace ringway {

// Returns the call's result, or -errno. Multishot receives, accepts and
// polls, and operations that only io_uring has, are -EOPNOTSUPP. Does not
// change `op`.
//
// Threads: any; no other thread may use the arguments of `op` meanwhile.
int32_t RunSystemCall(const Operation& op);

// See Backend::ReadCached(); `most` is the length up to which it is done.
int32_t ReadCached(const Operation& op, uint32_t most);

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_SYSTEM_CALL_H_
