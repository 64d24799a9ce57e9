// SPDX-License-Identifier: Apache-2.0
//
// Ring: asynchronous I/O for code without coroutines. Each call takes a
// Context with the callback: an object, a function and a message.
//
// A ring has one thread, one Loop and any backend; the other front end of a
// loop is the Executor. See docs/ring.md. Example (compiled as
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

// Exceptions of callbacks go to RingOptions::on_exception and affect nothing
// else. A ring never closes fds, except those in messages.
//
// Threads: the one that made it only (checked); others use its address().
class Ring : public RingOperations {
 public:
  // Makes a ring, with its loop and backend, for the calling thread.
  //
  // Errors: InvalidArgument naming the option, or those of MakeBackend().
  static absl::StatusOr<Ring> Create(RingOptions options = RingOptions());

  // Takes an existing loop; the loop options in `options` are ignored.
  explicit Ring(std::unique_ptr<Loop> loop,
                RingOptions options = RingOptions());

  // Not from inside its own Run(). A moved-from ring may only be destroyed.
  Ring(Ring&& other) noexcept;

  // Cancels every task and waits until the kernel has completed them. Every
  // callback runs before this returns, with the result of a task that had
  // completed or with Cancelled. Tasks that these callbacks start are dropped
  // without a callback. Not from inside one of its own callbacks (checked).
  // In a forked child it does nothing.
  ~Ring();

  // --- Further tasks, under the terms of RingOperations.

  // Completes with 0 after `delay`, never before. Zero or less: in the next
  // turn.
  RingTask Timer(absl::Duration delay, const Context& context);
  // Makes a timer fire `delay` from now instead; the callback still runs
  // once. False if it has run or is about to, or the timer was cancelled.
  bool ResetTimer(RingTask timer, absl::Duration delay);

  // Sends `payload` to another ring, or to this one. Messages of one ring
  // arrive in order. Completes with 0 once the target's handler has run.
  //
  // Errors:    by callback: Unavailable if the target has ended (EHOSTDOWN) or
  //            has no handler (ECONNREFUSED).
  // Ownership: a payload that did not arrive - because of an error, a cancel, a
  //            deadline or the end of a ring - returns as Completion::payload.
  //            The callback may move from it; otherwise it is destroyed.
  RingTask Message(const RingAddress& target, MessagePayload payload,
                   const Context& context);
  // Sets the handler of messages to this ring, which gets completions with a
  // payload. Messages alone do not keep Run(kUntilDone) running.
  void OnMessage(const Context& handler);

  // --- Ending tasks early. Each still gets its one final callback.

  // Requests that a task end. kNotFound: it has ended, or its callback is
  // about to run; nothing was changed.
  CancelOutcome Cancel(RingTask task);
  // The same for every operation on `fd`, in either direction, or for every
  // task. Returns their number.
  size_t CancelFd(int fd);
  size_t CancelAll();
  // Ends the task with DeadlineExceeded at `when`, never earlier, unless it
  // has ended before. Replaces an earlier deadline; an infinite time removes
  // it. False if the task has ended or was cancelled.
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

  // For running this ring in another loop: repeatedly call PrepareToPoll(),
  // poll PollableFd() for input until the time that it returned, then call
  // Run(RunMode::kNoWait). docs/ring.md has an example. The fd needs
  // RingOptions::loop.backend.pollable (checked).
  MonotonicTime PrepareToPoll();
  int PollableFd() const;

  RingAddress address() const;
  RingStats stats() const;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_RING_RING_H_
