// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/histogram.h"

#include <cmath>

namespace ringway {

void Histogram::Merge(const Histogram& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

uint64_t Histogram::ValueAtPercentile(double percentile) const {
  if (!(percentile > 0)) return min();
  if (percentile >= 100) return max();
  // One ulp less, so that a product rounded up does not count one value too
  // many: 99.9 per cent of 1,000 values are 999.
  const double rank = std::ceil(std::nextafter(percentile, 0) *
                                static_cast<double>(count_) / 100);
  uint64_t n_seen = 0;
  for (size_t i = 0; i + 1 < counts_.size(); ++i) {
    n_seen += counts_[i];
    if (static_cast<double>(n_seen) >= rank) {
      return std::min(LastValueOf(i), max());
    }
  }
  return max();  // the top bucket has no upper end
}

uint64_t Histogram::CountAtMost(uint64_t value) const {
  if (value >= max_) return count_;  // the top bucket has no upper end
  uint64_t n = 0;
  const size_t last = BucketOf(std::min(value, kMaxTrackable));
  for (size_t i = 0; i <= last; ++i) n += counts_[i];
  return n;
}

uint64_t Histogram::LastValueOf(size_t bucket) {
  if (bucket < 128) return bucket;
  const size_t shift = bucket / 64 - 1;
  return ((64 + bucket % 64 + 1) << shift) - 1;
}

}  // namespace ringway
