// SPDX-License-Identifier: Apache-2.0
//
// QueueWaits: how long the jobs of a pool wait for a thread.

#ifndef RINGWAY_POOLS_QUEUE_WAITS_H_
#define RINGWAY_POOLS_QUEUE_WAITS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "ringway/core/time/monotonic_time.h"
#include "ringway/pools/job_pool.h"

namespace ringway::internal {

class QueueWaits {
 public:
  // A job that was queued at `queued` begins.
  //
  // Threads: one at a time.
  // Cost:    an increment.
  void Record(MonotonicTime queued, MonotonicTime now);

  // Threads: any, also while others record.
  // Cost:    three passes over the buckets, some microseconds.
  void AddTo(JobPoolStats& stats) const;

 private:
  // Those of Histogram: 64 for each doubling.
  static constexpr size_t kBuckets = 64 * 36 + 64;

  std::array<std::atomic<uint64_t>, kBuckets> counts_ = {};
  std::atomic<uint64_t> longest_{0};  // in nanoseconds
};

}  // namespace ringway::internal

#endif  // RINGWAY_POOLS_QUEUE_WAITS_H_
