// SPDX-License-Identifier: Apache-2.0
//
// Heartbeat: whether all workers of a runtime still turn, for a watchdog.
//
// Each beat asks every worker, and comes only if all have answered the one
// before. So a worker that hangs for two intervals ends the beats.

#ifndef RINGWAY_RUNTIME_HEARTBEAT_H_
#define RINGWAY_RUNTIME_HEARTBEAT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/remote/executor_handle.h"

namespace ringway::internal {

// Threads: one at a time.
class Heartbeat {
 public:
  // `interval` is positive; infinite: it never beats.
  Heartbeat(const std::vector<ExecutorHandle>& workers,
            absl::Duration interval);

  // When the next beat is due.
  MonotonicTime next() const { return next_; }

  // True if it is due at `now`, and all workers have answered the last one.
  bool Beat(MonotonicTime now);

 private:
  const std::vector<ExecutorHandle>& workers_;
  const absl::Duration interval_;
  MonotonicTime next_;
  std::shared_ptr<std::atomic<size_t>> unanswered_;
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_HEARTBEAT_H_
