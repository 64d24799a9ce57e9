// SPDX-License-Identifier: Apache-2.0
//
// Try: the system call of each opcode, in a form that never blocks.
//
// Calls are non-blocking by a per-call flag (MSG_DONTWAIT, RWF_NOWAIT). For
// those without one - accept, connect, splice and sendfile - the fd is set to
// O_NONBLOCK, permanently: the flag belongs to the open file description,
// which duplicates, children and other processes share, and clearing it at
// the end of one operation could make another block forever. It is set before
// each call, because the number may refer to another file by then.

#ifndef RINGWAY_BACKENDS_EPOLL_ATTEMPT_H_
#define RINGWAY_BACKENDS_EPOLL_ATTEMPT_H_

#include <cstdint>

#include "ringway/backends/backend.h"
#include "ringway/backends/operation.h"

namespace ringway::epoll {

enum class Next : uint8_t {
  kDone,      // it ended: see `result`
  kReadable,  // try again when `fd` is readable
  kWritable,  // try again when `fd` is writable
  kSoon,      // try again later: there is no event for it
  kMore,      // try again in the next turn: it has used its share of this one
  kOffload,   // needs a thread that may block
};

struct Attempt {
  Next next = Next::kDone;
  int32_t result = 0;  // kDone: the call's result, or -errno
  int fd = -1;         // kReadable, kWritable
};

// Tries `op` once. A transfer with MSG_WAITALL is done when it is complete;
// BackendState::progress counts its bytes meanwhile. A connect in progress
// sets BackendState::connecting.
//
// Multishot receives and polls must not be tried: the former need buffers, the
// latter wait for events only. For accepts, MakeNonBlocking() must have been
// called once; connects, splices and sendfiles call it before each attempt.
Attempt Try(Operation& op);

// What follows from `result`, that of the functions of socket_transfer.h for
// `op`, whose flags may forbid waiting.
Attempt AfterSend(const Operation& op, int32_t result);
Attempt AfterReceive(const Operation& op, int32_t result);

// What `op`, a splice or sendfile, must wait for after a helper thread's
// attempt has returned -EAGAIN.
Attempt AfterOffloadedAttempt(const Operation& op);

// The result of `op` if it is cancelled now: the bytes moved, if any.
int32_t ResultIfCancelled(const Operation& op);

// The queue in which an operation waits before its first attempt.
enum class Queue : uint8_t {
  kNone,     // it is tried at once
  kReaders,  // behind those that read from its fd
  kWriters,  // behind those that write to its fd
  kPollers,  // beside those that poll its fd
};
Queue QueueOf(OpCode opcode);

// Sets `fd` to O_NONBLOCK permanently. Ignores errors; the call itself
// reports a bad fd.
void MakeNonBlocking(int fd);

}  // namespace ringway::epoll

#endif  // RINGWAY_BACKENDS_EPOLL_ATTEMPT_H_
