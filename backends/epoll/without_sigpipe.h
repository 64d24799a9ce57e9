// SPDX-License-Identifier: Apache-2.0
//
// RunWithoutSigPipe: a system call that raises SIGPIPE and takes no flag
// against it - splice(2) - on a thread that is not ours.
//
// The kernel sends the signal to the calling thread while it is in the call. So
// it is blocked for the call, and taken back if the call has left it behind.
// Threads of an OffloadPool need none of this: they block all signals for good,
// and so do the kernel threads of io_uring.

#ifndef RINGWAY_BACKENDS_EPOLL_WITHOUT_SIGPIPE_H_
#define RINGWAY_BACKENDS_EPOLL_WITHOUT_SIGPIPE_H_

#include <cstdint>

#include "ringway/backends/operation.h"

namespace ringway::epoll {

// RunSystemCall(op), where a closed peer is -EPIPE and never a signal. The
// thread's mask, and a SIGPIPE that was pending, are afterwards as before.
//
// Cost: two system calls, and one more if not all of op.length was moved.
int32_t RunWithoutSigPipe(const Operation& op);

}  // namespace ringway::epoll

#endif  // RINGWAY_BACKENDS_EPOLL_WITHOUT_SIGPIPE_H_
