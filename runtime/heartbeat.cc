// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/heartbeat.h"

#include "ringway/core/time/clock.h"

namespace ringway::internal {

Heartbeat::Heartbeat(const std::vector<ExecutorHandle>& workers,
                     absl::Duration interval)
    : workers_(workers),
      interval_(interval),
      next_(Clock::Real().Now() + interval),
      unanswered_(std::make_shared<std::atomic<size_t>>(0)) {}

bool Heartbeat::Beat(MonotonicTime now) {
  if (now < next_) return false;
  next_ = now + interval_;
  if (unanswered_->load(std::memory_order_relaxed) > 0) return false;
  for (const ExecutorHandle& worker : workers_) {
    unanswered_->fetch_add(1, std::memory_order_relaxed);
    const absl::Status asked = worker.Post([unanswered = unanswered_] {
      unanswered->fetch_sub(1, std::memory_order_relaxed);
    });
    // One that has ended does not turn any more.
    if (!asked.ok()) return false;
  }
  return true;
}

}  // namespace ringway::internal
