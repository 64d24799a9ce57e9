// SPDX-License-Identifier: Apache-2.0
//
// RunWithoutSigPipe: runs splice(2), which can raise SIGPIPE and has no flag
// against it, on a user's thread.
//
// The kernel sends the signal to the calling thread during the call. So the
// signal is blocked for the call, and consumed afterwards if the call has
// raised it. Threads of an OffloadPool and the kernel threads of io_uring do
// not need this: they always block all signals.

#ifndef RINGWAY_BACKENDS_EPOLL_WITHOUT_SIGPIPE_H_
#define RINGWAY_BACKENDS_EPOLL_WITHOUT_SIGPIPE_H_

#include <cstdint>

#include "ringway/backends/operation.h"

namespace ringway::epoll {

// RunSystemCall(op), but with a closed peer returns -EPIPE and never raises a
// signal. Preserves the thread's mask and a SIGPIPE that was pending.
//
// Cost: two system calls, and one more if not all of op.length was moved.
int32_t RunWithoutSigPipe(const Operation& op);

}  // namespace ringway::epoll

#endif  // RINGWAY_BACKENDS_EPOLL_WITHOUT_SIGPIPE_H_
