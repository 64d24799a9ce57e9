// SPDX-License-Identifier: Apache-2.0
//
// QueueWaits: how long the jobs of a pool wait for a thread.

#ifndef RINGWAY_POOLS_QUEUE_WAITS_H_
#define RINGWAY_POOLS_QUEUE_WAITS_H_

#include "ringway/core/histogram.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/pools/job_pool.h"

namespace ringway::internal {

// Threads: one at a time.
class QueueWaits {
 public:
  // A job that was queued at `queued` begins.
  //
  // Cost: an increment.
  void Record(MonotonicTime queued, MonotonicTime now);

  // Cost: two passes over the histogram, some microseconds.
  void AddTo(JobPoolStats& stats) const;

 private:
  Histogram waits_;  // in nanoseconds
};

}  // namespace ringway::internal

#endif  // RINGWAY_POOLS_QUEUE_WAITS_H_
