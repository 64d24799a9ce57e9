// SPDX-License-Identifier: Apache-2.0
//
// WithTimeout, WithDeadline: any awaitable or task with a time limit.
// CancelWithin: cancels a task and waits for its end, with a time limit.
//
//   auto n = co_await ringway::WithTimeout(absl::Seconds(5),
//                                          stream.Read(buffer));
//   ...
//   auto page = co_await ringway::WithTimeout(absl::Seconds(2), Get("/"));
//   if (absl::IsDeadlineExceeded(page.status())) ...
//
// Time is that of the loop's clock: see After().

#ifndef RINGWAY_EXECUTOR_STRUCTURED_TIMEOUT_H_
#define RINGWAY_EXECUTOR_STRUCTURED_TIMEOUT_H_

#include <type_traits>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/structured/awaiter_of.h"
#include "ringway/executor/structured/limited_await.h"
#include "ringway/executor/structured/wait_limit.h"
#include "ringway/executor/task/deadline.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"

namespace ringway {

namespace internal {

// Waits until `child` has ended. Cancels it when `limit`, which begins now,
// is over, or when the waiting task is cancelled. DeadlineExceeded if the
// limit came first, else OK.
Task<absl::Status> WaitUntil(TimeLimit limit, JoinHandleBase& child);

// Waits until the task has ended, but at most for `grace`: DeadlineExceeded.
Task<absl::Status> WaitWithin(absl::Duration grace, JoinHandleBase& handle);

// Cancels `child` and waits until it has ended, even if the waiting task is
// cancelled.
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

// Runs `task` as a separate task, cancels it at `deadline`, and waits until it
// has ended. If the deadline has passed, it never starts. An infinite deadline
// is none.
//
// Result:       the result of joining the task, also after the deadline if the
//               task ended with OK.
// Errors:       DeadlineExceeded if the task was cancelled by the deadline and
//               ended as Cancelled; the message has the duration and the task's
//               wait. Otherwise those of the task, also after the deadline,
//               because some errors, such as a reset, are reported only once.
//               Rethrows the task's exception.
// Cancellation: cancels the task and waits for it.
// Cost:         no allocation except frames and the message.
template <typename T>
Task<JoinResult<T>> WithDeadline(MonotonicTime deadline, Task<T> task) {
  return internal::WithLimit(internal::TimeLimit(deadline), std::move(task));
}

// WithDeadline() at `timeout` after this is awaited. With a zero or negative
// timeout the task never starts.
template <typename T>
Task<JoinResult<T>> WithTimeout(absl::Duration timeout, Task<T> task) {
  return internal::WithLimit(internal::TimeLimit(timeout), std::move(task));
}

// Awaits `awaitable` and ends that one wait early at `deadline`; the task is
// not cancelled. An awaitable is what the library's functions return:
// operations, Sleep(), Event::Wait(), locks, channels, a JoinHandle (the
// deadline ends its wait, not its task) or a RemoteHandle (the deadline
// cancels its task). If the deadline has passed, the wait never begins. An
// infinite deadline is none.
//
// Result:       the result of the awaitable; a StatusOr<T> for a T and a Status
//               for void, as if joining a task.
// Errors:       DeadlineExceeded if the deadline ended the wait and it ended as
//               Cancelled; the message has the duration and the wait. Otherwise
//               the awaitable's own: a result that raced the deadline is kept,
//               so a read that timed out has taken no bytes. Cancelled if the
//               task was.
// Ownership:    await it in the expression that makes it: it refers to the
//               awaitable, which is destroyed at the end of that expression.
//               (clang warns of functions that return it.)
// Cancellation: as the awaitable. A wait that cannot be cancelled - Yield(),
//               closing a stream - runs to its end.
// Cost:         at most two clock readings, and a timer in the coroutine's
//               frame: no allocation, no task, no system call. The message is
//               made when the deadline ends the wait.
template <typename A>
requires(!internal::kIsTask<std::remove_cvref_t<A>>) TimedAwait<A> WithDeadline(
    MonotonicTime deadline, A&& awaitable ABSL_ATTRIBUTE_LIFETIME_BOUND) {
  return TimedAwait<A>(internal::TimeLimit(deadline),
                       std::forward<A>(awaitable));
}

// The same at `timeout` after this is awaited.
template <typename A>
requires(!internal::kIsTask<std::remove_cvref_t<A>>) TimedAwait<A> WithTimeout(
    absl::Duration timeout, A&& awaitable ABSL_ATTRIBUTE_LIFETIME_BOUND) {
  return TimedAwait<A>(internal::TimeLimit(timeout),
                       std::forward<A>(awaitable));
}

// Cancels a task and waits for at most `grace` until it has ended. With a zero
// or negative grace it succeeds only if the task has ended already.
//
// Result:       the result of joining the task, if it ended in time.
// Errors:       DeadlineExceeded if it did not; the message has the task's
//               wait. The task continues, cancelled, and the handle stays
//               valid: join it later, or drop it; the executor then counts the
//               task, reports its exception and ends it at the latest with
//               itself. Cancelled if the waiting task was. Rethrows the task's
//               exception.
// Ownership:    objects that the task refers to must outlive the task, which
//               may end after this wait.
// Cancellation: ends the wait; the handle stays valid.
// Cost:         no allocation except frames and the message.
template <typename T>
Task<JoinResult<T>> CancelWithin(absl::Duration grace, JoinHandle<T>& handle) {
  handle.Cancel();
  const absl::Status ended = co_await internal::WaitWithin(grace, handle);
  if (!ended.ok() && !handle.done()) co_return ended;
  co_return handle.TakeResult();
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_STRUCTURED_TIMEOUT_H_
