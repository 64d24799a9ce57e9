// SPDX-License-Identifier: Apache-2.0
//
// Ring: asynchronous I/O for code without coroutines. Whoever starts something
// says in a Context who is to be told - an object, a function and a message.
//
// One thread, one Loop, any backend; the other front end of a loop is the
// Executor. docs/ring.md has the whole story. Example (compiled as
// tools/samples/multi_writer.cc):
//
//   Ring ring = *Ring::Create();
//   ring.Write(fd, bytes, Context(this, &OnDone, Message::kFirst));
//   absl::Status ended = ring.Run(RunMode::kUntilDone);

#ifndef RINGWAY_EXECUTOR_RING_RING_H_
#define RINGWAY_EXECUTOR_RING_RING_H_

#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/backends/backend.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/loop/loop_runner.h"
#include "ringway/executor/ring/completion.h"
#include "ringway/executor/ring/context.h"
#include "ringway/executor/ring/payload.h"
#include "ringway/executor/ring/ring_address.h"
#include "ringway/executor/ring/ring_operations.h"
#include "ringway/executor/ring/ring_options.h"

namespace ringway {

// What a callback throws goes to RingOptions::on_exception; nothing else is
// lost by it. Threads: the one that made it only (checked); others have its
// address(). Fds are never closed by a ring, except in messages.
class Ring : public RingOperations {
 public:
  // Makes a ring, with its loop and backend, for the calling thread.
  //
  // Errors: InvalidArgument naming the option, or those of MakeBackend().
  static absl::StatusOr<Ring> Create(RingOptions options = RingOptions());

  // Takes a ready-made loop; what `options` say of it is ignored.
  explicit Ring(std::unique_ptr<Loop> loop,
                RingOptions options = RingOptions());

  // Not from inside its own Run(). What was moved from may only be destroyed.
  Ring(Ring&& other) noexcept;

  // Cancels every task and waits until the kernel is done with them. Every
  // callback is told before this returns: the result, for what had come that
  // far, or Cancelled. What these callbacks start is not started, and they are
  // not told of it. Not from inside a callback of its own (checked). In a
  // forked child nothing happens: everything is the parent's.
  ~Ring();

  // --- Tasks besides those of RingOperations, under the same terms.

  // Result 0 after `delay`, never before. Zero or less: in the next turn.
  RingTask Timer(absl::Duration delay, const Context& context);
  // Has a timer fire `delay` from now instead; the callback still comes once.
  // False if that has come or is about to, or it was cancelled.
  bool ResetTimer(RingTask timer, absl::Duration delay);

  // Sends `payload` to another ring, or to this one. Those of one ring arrive
  // in order. Result 0 once the target has it.
  //
  // Errors:    by callback: Unavailable, where the target has ended (EHOSTDOWN)
  //            or has no handler (ECONNREFUSED).
  // Ownership: what has not arrived - for an error, a cancel, a deadline, the
  //            end of a ring - comes back as Completion::payload, which the
  //            callback may move from; it is disposed of otherwise.
  RingTask Message(const RingAddress& target, MessagePayload payload,
                   const Context& context);
  // Whom messages to this ring are given to, as completions with a payload.
  // Messages alone do not keep Run(kUntilDone) going.
  void OnMessage(const Context& handler);

  // --- Ending tasks early. Each is still told of its end, once.

  // Asks for one task to end. kNotFound: it has ended, or its callback is about
  // to run; nothing was touched.
  CancelOutcome Cancel(RingTask task);
  // Every operation on `fd`, in either direction, or every task. Returns how
  // many were asked.
  size_t CancelFd(int fd);
  size_t CancelAll();
  // Ends the task at `when` unless it has ended before: with DeadlineExceeded,
  // and never earlier. Replaces the deadline set before; an infinite time takes
  // it back. False if the task has ended or been cancelled.
  bool SetDeadline(RingTask task, MonotonicTime when);
  // For deadlines: Now() + absl::Seconds(2).
  MonotonicTime Now() const;

  // --- Running.

  // Runs callbacks until `mode` is satisfied, or Stop().
  //
  // Errors: FailedPrecondition inside another Run() of this ring.
  absl::Status Run(RunMode mode);
  absl::Status RunFor(absl::Duration duration);
  // For callbacks; other threads use RingAddress::Stop().
  void Stop();

  // To nest this ring in another loop: PrepareToPoll(), poll PollableFd() for
  // input until the time that it returned, then Run(RunMode::kNoWait); again
  // and again. docs/ring.md has an example. The fd needs
  // RingOptions::loop.backend.pollable (checked).
  MonotonicTime PrepareToPoll();
  int PollableFd() const;

  RingAddress address() const;
  RingStats stats() const;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_RING_RING_H_
