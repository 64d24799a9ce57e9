// SPDX-License-Identifier: Apache-2.0
//
// WithTimeout: a task that has to end by a certain time.
//
//   auto page = co_await ringway::WithTimeout(absl::Seconds(2), Get("/"));
//   if (absl::IsDeadlineExceeded(page.status())) ...

#ifndef RINGWAY_EXECUTOR_TIMEOUT_H_
#define RINGWAY_EXECUTOR_TIMEOUT_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "executor/executor.h"
#include "executor/join_handle.h"
#include "executor/task.h"

namespace ringway {

namespace internal {

// Waits until `child` has ended, cancelling it when `timeout` has passed or the
// waiting task is cancelled. True if it was the timeout that came first.
Task<bool> WaitWithTimeout(absl::Duration timeout, JoinHandleBase& child);

}  // namespace internal

// Runs `task` as a task of its own, cancels it when `timeout` has passed since
// this was awaited, and waits for it to be gone. Zero or negative: it never
// starts. Infinite: no timeout.
//
// Result:       what joining the task gives, also after the deadline if it
// ended
//               with an OK result all the same: nothing is lost.
// Errors:       DeadlineExceeded if it was cancelled for the deadline;
// otherwise
//               the task's own. Throws what the task threw.
// Cancellation: cancels the task and waits for it.
// Cost:         no allocation but frames.
template <typename T>
Task<JoinResult<T>> WithTimeout(absl::Duration timeout, Task<T> task) {
  JoinHandle<T> child = Spawn(std::move(task));
  const bool expired = co_await internal::WaitWithTimeout(timeout, child);
  JoinResult<T> result = child.TakeResult();
  if (expired && !result.ok())
    co_return absl::Status(absl::StatusCode::kDeadlineExceeded, "");
  co_return std::move(result);
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TIMEOUT_H_
