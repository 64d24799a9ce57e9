// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/queue_waits.h"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "absl/time/time.h"
#include "ringway/core/histogram.h"

namespace ringway::internal {
namespace {

constexpr int kExactBits = 7;  // smaller values have buckets of their own

size_t BucketOf(uint64_t value) {
  const int width = static_cast<int>(std::bit_width(value));
  const int shift = std::max(width, kExactBits) - kExactBits;
  return (static_cast<size_t>(shift) << (kExactBits - 1)) + (value >> shift);
}

// The largest value in the bucket.
uint64_t LastValueOf(size_t bucket) {
  if (bucket < 128) return bucket;
  const size_t shift = bucket / 64 - 1;
  return ((64 + bucket % 64 + 1) << shift) - 1;
}

absl::Duration FromNanoseconds(uint64_t n) {
  return absl::Nanoseconds(static_cast<int64_t>(n));
}

// Only one thread writes at a time.
void Store(std::atomic<uint64_t>& to, uint64_t value) {
  to.store(value, std::memory_order_relaxed);
}

uint64_t Load(const std::atomic<uint64_t>& from) {
  return from.load(std::memory_order_relaxed);
}

}  // namespace

void QueueWaits::Record(MonotonicTime queued, MonotonicTime now) {
  const auto waited =
      static_cast<uint64_t>(now.nanoseconds() - queued.nanoseconds());
  Store(longest_, std::max(Load(longest_), waited));
  auto& bucket = counts_[BucketOf(std::min(waited, Histogram::kMaxTrackable))];
  Store(bucket, Load(bucket) + 1);
}

void QueueWaits::AddTo(JobPoolStats& stats) const {
  const uint64_t longest = Load(longest_);
  Histogram waits;
  for (size_t i = 0; i < counts_.size(); ++i)
    waits.RecordN(std::min(LastValueOf(i), longest), Load(counts_[i]));
  stats.median_wait = FromNanoseconds(waits.ValueAtPercentile(50));
  stats.p99_wait = FromNanoseconds(waits.ValueAtPercentile(99));
  stats.longest_wait = FromNanoseconds(longest);
}

}  // namespace ringway::internal
