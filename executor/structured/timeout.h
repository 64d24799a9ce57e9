// SPDX-License-Identifier: Apache-2.0
//
// WithTimeout, WithDeadline: whatever can be awaited, but not for longer.
// CancelWithin: a cancel that is waited for, but not for ever.
//
//   auto n = co_await ringway::WithTimeout(absl::Seconds(5),
//                                          stream.Read(buffer));
//   ...
//   auto page = co_await ringway::WithTimeout(absl::Seconds(2), Get("/"));
//   if (absl::IsDeadlineExceeded(page.status())) ...
//
// Time is the loop's: see After().

#ifndef RINGWAY_EXECUTOR_STRUCTURED_TIMEOUT_H_
#define RINGWAY_EXECUTOR_STRUCTURED_TIMEOUT_H_

#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/structured/awaiter_of.h"
#include "ringway/executor/structured/timed_await.h"
#include "ringway/executor/structured/wait_limit.h"
#include "ringway/executor/task/deadline.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"

namespace ringway {

namespace internal {

// Waits until `child` has ended, cancelling it when `limit`, which begins now,
// is over, or when the waiting task is cancelled. DeadlineExceeded if it was
// the limit that came first, else OK.
Task<absl::Status> WaitUntil(TimeLimit limit, JoinHandleBase& child);

// Waits until the task has ended, but at most for `grace`: DeadlineExceeded.
Task<absl::Status> WaitWithin(absl::Duration grace, JoinHandleBase& handle);

// Cancels `child` and waits for it to be gone, whatever comes.
Task<void> CancelAndWait(JoinHandleBase& child);

template <typename T>
Task<JoinResult<T>> WithLimit(TimeLimit limit, Task<T> task) {
  JoinHandle<T> child = Spawn(std::move(task));
  const absl::Status exceeded = co_await WaitUntil(limit, child);
  JoinResult<T> result = child.TakeResult();
  if (!exceeded.ok() && EndedAsCancelled(result)) co_return exceeded;
  co_return std::move(result);
}

}  // namespace internal

// Runs `task` as a task of its own, cancels it at `deadline`, and waits for it
// to be gone. A deadline that has passed: it never starts. Infinite: none.
//
// Result:       What joining the task gives, also after the deadline if it
//               ended with an OK result all the same: nothing is lost.
// Errors:       DeadlineExceeded if it was cancelled for the deadline and ended
//               as Cancelled; its message says how long that was, and what the
//               task waited for. Those of the task otherwise, also after the
//               deadline: an error that raced it may be reported only once, as
//               a reset is. Throws what the task threw.
// Cancellation: Cancels the task and waits for it.
// Cost:         No allocation but frames, and the message.
template <typename T>
Task<JoinResult<T>> WithDeadline(MonotonicTime deadline, Task<T> task) {
  return internal::WithLimit(internal::TimeLimit(deadline), std::move(task));
}

// WithDeadline() at `timeout` after this was awaited. Zero or negative: the
// task never starts.
template <typename T>
Task<JoinResult<T>> WithTimeout(absl::Duration timeout, Task<T> task) {
  return internal::WithLimit(internal::TimeLimit(timeout), std::move(task));
}

// Awaits `awaitable` and asks that one wait to end early at `deadline`; the
// task is not cancelled. An awaitable is what the library's functions return:
// operations, Sleep(), Event::Wait(), locks, channels, a JoinHandle (of which
// the deadline ends the wait and not the task) or a RemoteHandle (of which it
// cancels the task). A deadline that has passed: it never begins. Infinite:
// none.
//
// Result:       What awaiting it gives; a StatusOr<T> for a T and a Status for
//               nothing, as joining a task would.
// Errors:       DeadlineExceeded if the deadline ended it, and it ended as
//               Cancelled; its message says how long that was, and for what.
//               Its own otherwise: what raced the deadline is kept, so that a
//               read that timed out has taken no bytes. Cancelled if the task
//               was.
// Ownership:    Await it in the expression that makes it: it refers to the
//               awaitable, which goes at the end of that.
// Cancellation: That of the awaitable. What cannot be cancelled - Yield(),
//               closing a stream - takes its time.
// Cost:         Two clock readings at most and a timer in the coroutine's
//               frame: no allocation, no task, no system call. The message is
//               made when the deadline ends the wait.
template <typename A>
requires(!internal::kIsTask<std::remove_cvref_t<A>>)
    TimedAwait<A> WithDeadline(MonotonicTime deadline, A&& awaitable) {
  return TimedAwait<A>(internal::TimeLimit(deadline),
                       std::forward<A>(awaitable));
}

// The same at `timeout` after this was awaited.
template <typename A>
requires(!internal::kIsTask<std::remove_cvref_t<A>>)
    TimedAwait<A> WithTimeout(absl::Duration timeout, A&& awaitable) {
  return TimedAwait<A>(internal::TimeLimit(timeout),
                       std::forward<A>(awaitable));
}

// Cancels a task and gives it `grace` to end. Zero or negative: only what has
// ended already.
//
// Result:       What joining the task gives, if it ended in time.
// Errors:       DeadlineExceeded if it did not, with a message that says what
//               it waits for. It goes on, cancelled, and the handle stays
//               valid: join it later, or drop it and leave the task to its
//               executor, which counts it, reports what it throws and ends it
//               at the latest with itself. Cancelled if the waiting task was.
//               Throws what the task threw.
// Ownership:    What the task refers to must stay until it has ended, which
//               may be after this has.
// Cancellation: Ends the wait; the handle stays valid.
// Cost:         No allocation but frames, and the message.
template <typename T>
Task<JoinResult<T>> CancelWithin(absl::Duration grace, JoinHandle<T>& handle) {
  handle.Cancel();
  const absl::Status ended = co_await internal::WaitWithin(grace, handle);
  if (!ended.ok() && !handle.done()) co_return ended;
  co_return handle.TakeResult();
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_STRUCTURED_TIMEOUT_H_
