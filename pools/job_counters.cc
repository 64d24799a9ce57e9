// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/job_counters.h"

#include <algorithm>

namespace ringway::internal {

void JobCounters::Counter::RaiseTo(uint64_t n) {
  uint64_t most = n_.load(std::memory_order_relaxed);
  while (most < n &&
         !n_.compare_exchange_weak(most, n, std::memory_order_relaxed)) {
  }
}

// Reads what was started first: jobs that leave the queue meanwhile make the
// result too small, never too large.
void JobCounters::NoteQueued() {
  const uint64_t n_started = started.Get();
  const uint64_t n_left = withdrawn.Get() + dropped.Get() + begun.Get();
  if (n_started > n_left) most_queued.RaiseTo(n_started - n_left);
}

// A job that ends while this reads is taken for one that runs, and one that
// begins, if that makes too many, for one that is queued.
void JobCounters::AddTo(JobPoolStats& stats, uint32_t max_threads) const {
  stats.ended = ended.Get();
  stats.running = std::min<uint64_t>(begun.Get() - stats.ended, max_threads);
  stats.withdrawn = withdrawn.Get();
  stats.dropped = dropped.Get();
  stats.started = started.Get();
  stats.queued = stats.started - stats.withdrawn - stats.dropped - stats.ended -
                 stats.running;
  stats.refused = refused.Get();
  stats.most_queued = most_queued.Get();
  stats.most_threads = most_threads.Get();
}

}  // namespace ringway::internal
