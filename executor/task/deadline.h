// SPDX-License-Identifier: Apache-2.0
//
// After: a time from now as an instant, which is what deadlines are.
//
//   const MonotonicTime deadline = ringway::After(absl::Seconds(2));
//   absl::StatusOr<Page> page = co_await WithDeadline(deadline, Fetch(host));
//   if (!page.ok()) page = co_await WithDeadline(deadline, Fetch("mirror"));

#ifndef RINGWAY_EXECUTOR_TASK_DEADLINE_H_
#define RINGWAY_EXECUTOR_TASK_DEADLINE_H_

#include "absl/time/time.h"
#include "ringway/core/check.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/executor.h"

namespace ringway {

// The instant `duration` from now, on the clock of the executor that this
// thread runs (checked): the backend's, so it is virtual where that is
// simulated, and steps of the wall clock do not move it. Counted from now and
// not from the start of the turn. Negative: in the past. Infinite: never.
inline MonotonicTime After(absl::Duration duration) {
  Executor* executor = Executor::Current();
  RINGWAY_CHECK(executor != nullptr, "After() outside of a running executor");
  return executor->loop().backend().clock().Now() + duration;
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_DEADLINE_H_
