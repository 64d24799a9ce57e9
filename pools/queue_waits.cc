// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/queue_waits.h"

#include <cstdint>

#include "absl/time/time.h"

namespace ringway::internal {
namespace {

absl::Duration FromNanoseconds(uint64_t n) {
  return absl::Nanoseconds(static_cast<int64_t>(n));
}

}  // namespace

void QueueWaits::Record(MonotonicTime queued, MonotonicTime now) {
  const int64_t waited = now.nanoseconds() - queued.nanoseconds();
  waits_.Record(static_cast<uint64_t>(waited));
}

void QueueWaits::AddTo(JobPoolStats& stats) const {
  stats.median_wait = FromNanoseconds(waits_.ValueAtPercentile(50));
  stats.p99_wait = FromNanoseconds(waits_.ValueAtPercentile(99));
  stats.longest_wait = FromNanoseconds(waits_.max());
}

}  // namespace ringway::internal
