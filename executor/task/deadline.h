// SPDX-License-Identifier: Apache-2.0
//
// After: a duration from now as an instant, for use as a deadline.
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
// thread runs (checked). That is the backend's clock: virtual on the
// simulator, and unaffected by steps of the wall clock. Counted from now and
// not from the start of the turn. A negative duration gives a past instant,
// an infinite one never comes.
inline MonotonicTime After(absl::Duration duration) {
  Executor* executor = Executor::Current();
  RINGWAY_CHECK(executor != nullptr, "After() outside of a running executor");
  return executor->loop().backend().clock().Now() + duration;
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_DEADLINE_H_
