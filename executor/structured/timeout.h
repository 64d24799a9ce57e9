// SPDX-License-Identifier: Apache-2.0
//
// WithTimeout, WithDeadline: a task that has to end by a certain time.
// CancelWithin: a cancel that is waited for, but not for ever.
//
//   auto page = co_await ringway::WithTimeout(absl::Seconds(2), Get("/"));
//   if (absl::IsDeadlineExceeded(page.status())) ...
//
// Time is the loop's: see After().

#ifndef RINGWAY_EXECUTOR_STRUCTURED_TIMEOUT_H_
#define RINGWAY_EXECUTOR_STRUCTURED_TIMEOUT_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/deadline.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"

namespace ringway {

namespace internal {

// Waits until `child` has ended, cancelling it at `deadline` or when the
// waiting task is cancelled. True if it was the deadline that came first.
Task<bool> WaitUntil(MonotonicTime deadline, JoinHandleBase& child);

// Waits until the task has ended, but at most for `grace`: DeadlineExceeded.
Task<absl::Status> WaitWithin(absl::Duration grace, JoinHandleBase& handle);

// Cancels `child` and waits for it to be gone, whatever comes.
Task<void> CancelAndWait(JoinHandleBase& child);

// Whether a join ended as cancelled.
inline bool EndedAsCancelled(const absl::Status& joined) {
  return absl::IsCancelled(joined);
}
template <typename T>
bool EndedAsCancelled(const absl::StatusOr<T>& joined) {
  return absl::IsCancelled(joined.status());
}

template <typename T>
JoinResult<T> TakeResultInTime(JoinHandle<T>& child, bool expired) {
  JoinResult<T> result = child.TakeResult();
  if (expired && EndedAsCancelled(result))
    return absl::Status(absl::StatusCode::kDeadlineExceeded, "");
  return result;
}

}  // namespace internal

// Runs `task` as a task of its own, cancels it at `deadline`, and waits for it
// to be gone. A deadline that has passed: it never starts. Infinite: none.
//
// Result:       What joining the task gives, also after the deadline if it
//               ended with an OK result all the same: nothing is lost.
// Errors:       DeadlineExceeded if it was cancelled for the deadline and ended
//               as Cancelled. Those of the task otherwise, also after the
//               deadline: an error that raced it may be reported only once, as
//               a reset is. Throws what the task threw.
// Cancellation: Cancels the task and waits for it.
// Cost:         No allocation but frames.
template <typename T>
Task<JoinResult<T>> WithDeadline(MonotonicTime deadline, Task<T> task) {
  JoinHandle<T> child = Spawn(std::move(task));
  const bool expired = co_await internal::WaitUntil(deadline, child);
  co_return internal::TakeResultInTime(child, expired);
}

// WithDeadline() at `timeout` after this was awaited. Zero or negative: the
// task never starts.
template <typename T>
Task<JoinResult<T>> WithTimeout(absl::Duration timeout, Task<T> task) {
  JoinHandle<T> child = Spawn(std::move(task));
  const bool expired = co_await internal::WaitUntil(After(timeout), child);
  co_return internal::TakeResultInTime(child, expired);
}

// Cancels a task and gives it `grace` to end. Zero or negative: only what has
// ended already.
//
// Result:       What joining the task gives, if it ended in time.
// Errors:       DeadlineExceeded if it did not. It goes on, cancelled, and the
//               handle stays valid: join it later, or drop it and leave the
//               task to its executor, which counts it, reports what it throws
//               and ends it at the latest with itself. Cancelled if the waiting
//               task was. Throws what the task threw.
// Ownership:    What the task refers to must stay until it has ended, which
//               may be after this has.
// Cancellation: Ends the wait; the handle stays valid.
// Cost:         No allocation but frames.
template <typename T>
Task<JoinResult<T>> CancelWithin(absl::Duration grace, JoinHandle<T>& handle) {
  handle.Cancel();
  const absl::Status ended = co_await internal::WaitWithin(grace, handle);
  if (!ended.ok() && !handle.done()) co_return ended;
  co_return handle.TakeResult();
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_STRUCTURED_TIMEOUT_H_
