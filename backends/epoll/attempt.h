// SPDX-License-Identifier: Apache-2.0
//
// Try: the system call of each opcode, in a form that never blocks.
//
// Each call says for itself that it must not wait (MSG_DONTWAIT, RWF_NOWAIT).
// Where a call cannot say so - accept, connect, splice and sendfile - its fd is
// set to O_NONBLOCK, and stays so: the flag belongs to the open file
// description, which duplicates, children and other processes share, and to
// take it away at the end of one operation lets another block for ever. It is
// set anew each time, for what is remembered of a number may be about a file
// that it means no longer.

#ifndef RINGWAY_BACKENDS_EPOLL_ATTEMPT_H_
#define RINGWAY_BACKENDS_EPOLL_ATTEMPT_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "ringway/backends/backend.h"
#include "ringway/backends/operation.h"

namespace ringway::epoll {

enum class Next : uint8_t {
  kDone,      // it came to an end: see `result`
  kReadable,  // try again when `fd` is readable
  kWritable,  // try again when `fd` is writable
  kSoon,      // try again: no event will tell when
  kMore,      // try again: it has moved what one turn is for
  kOffload,   // only a thread that may block can do it
};

struct Attempt {
  Next next = Next::kDone;
  int32_t result = 0;  // kDone: what the call returned, or -errno
  int fd = -1;         // kReadable, kWritable
};

// Tries `op` once. Multishot receives fill `buffer`; other operations use their
// own memory. A transfer with MSG_WAITALL is done when it is complete, and
// keeps count of what it has moved in BackendState::progress meanwhile;
// connects note there that they are under way.
//
// Requires that multishot polls are not tried: they wait for events only. That
// MakeNonBlocking() was called for accepts, once; connects, splices and
// sendfile do so themselves, before each attempt.
Attempt Try(Operation& op, std::span<std::byte> buffer);

// What an attempt of `op`, a splice or sendfile that a thread has made for it,
// has to wait for after -EAGAIN.
Attempt AfterOffloadedAttempt(const Operation& op);

// The result of `op` if it is cancelled now: what it has moved, if anything.
int32_t ResultIfCancelled(const Operation& op);

// How an operation waits before it is tried for the first time.
enum class Queue : uint8_t {
  kNone,     // it is tried at once
  kReaders,  // behind those that read from its fd
  kWriters,  // behind those that write to its fd
  kPollers,  // beside those that poll its fd
};
Queue QueueOf(OpCode opcode);

// Sets `fd` to O_NONBLOCK for good. What is no fd is left to the call itself.
void MakeNonBlocking(int fd);

}  // namespace ringway::epoll

#endif  // RINGWAY_BACKENDS_EPOLL_ATTEMPT_H_
