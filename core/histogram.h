// SPDX-License-Identifier: Apache-2.0
//
// Histogram: the distribution of values, to within 1/64 of each value.
//
// For example for latencies in nanoseconds. Buckets have width one up to 127,
// then there are 64 for each doubling, as in HdrHistogram. Recording is an
// index computation and an increment; histograms are merged bucket by bucket.
// A value type of about 19 KiB that never allocates.
//
//   Histogram latency;
//   latency.Record(elapsed_ns);
//   printf("p99 %lu ns\n", latency.ValueAtPercentile(99));

#ifndef RINGWAY_CORE_HISTOGRAM_H_
#define RINGWAY_CORE_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace ringway {

// One thread at a time.
class Histogram {
 public:
  // Larger values (73 minutes in nanoseconds) are counted in the top bucket;
  // max() and mean() are still exact.
  static constexpr uint64_t kMaxTrackable = (uint64_t{1} << 42) - 1;

  void Record(uint64_t value) { RecordN(value, 1); }

  // Records `value` `n` times.
  void RecordN(uint64_t value, uint64_t n) {
    if (n == 0) return;
    counts_[BucketOf(std::min(value, kMaxTrackable))] += n;
    count_ += n;
    sum_ += static_cast<double>(value) * static_cast<double>(n);
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
  }

  // Adds everything that `other` has recorded.
  void Merge(const Histogram& other);

  // The value that `percentile` per cent of the recorded values do not exceed,
  // rounded up within its bucket: at most 1/64 above the true one, never above
  // max(). `percentile` is clamped to [0, 100], where 0 gives min(). 0 when
  // nothing was recorded.
  //
  // Cost: O(buckets).
  uint64_t ValueAtPercentile(double percentile) const;

  // How many values are at most `value`, to within 1/64 of `value`: those in
  // its bucket are counted.
  //
  // Cost: O(buckets).
  uint64_t CountAtMost(uint64_t value) const;

  uint64_t count() const { return count_; }
  double sum() const { return sum_; }
  // All three are 0 if nothing was recorded.
  uint64_t min() const { return count_ == 0 ? 0 : min_; }
  uint64_t max() const { return max_; }
  double mean() const {
    return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
  }

 private:
  // A bucket is identified by its shift (the number of low bits it ignores)
  // and the remaining seven bits: 0..127 without a shift, 64..127 with one.
  static constexpr int kPrecisionBits = 7;

  static constexpr size_t BucketOf(uint64_t value) {
    const auto width = static_cast<int>(std::bit_width(value));
    const int shift = std::max(width, kPrecisionBits) - kPrecisionBits;
    return (static_cast<size_t>(shift) << (kPrecisionBits - 1)) +
           (value >> shift);
  }
  // The largest value in the bucket.
  static uint64_t LastValueOf(size_t bucket);

  std::array<uint64_t, 64 * (42 - kPrecisionBits) + 128> counts_ = {};
  uint64_t count_ = 0;
  double sum_ = 0;
  uint64_t min_ = std::numeric_limits<uint64_t>::max();
  uint64_t max_ = 0;
};

}  // namespace ringway

#endif  // RINGWAY_CORE_HISTOGRAM_H_
