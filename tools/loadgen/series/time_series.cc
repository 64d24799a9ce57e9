// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/series/time_series.h"

#include <algorithm>

#include "ringway/core/check.h"

namespace ringway::loadgen {
namespace {

size_t CountOf(absl::Duration length, absl::Duration interval) {
  return static_cast<size_t>(
      std::max<int64_t>(1, absl::Ceil(length, interval) / interval));
}

SeriesRow RowOf(absl::Duration begin, absl::Duration length,
                const Histogram& latency_ns, uint64_t offered,
                uint64_t errors) {
  SeriesRow row;
  row.begin = begin;
  row.length = length;
  row.offered = offered;
  row.requests = latency_ns.count();
  row.errors = errors;
  row.p50_ns = latency_ns.ValueAtPercentile(50);
  row.p99_ns = latency_ns.ValueAtPercentile(99);
  row.max_ns = latency_ns.max();
  return row;
}

}  // namespace

absl::Duration TimeSeries::IntervalOf(absl::Duration length) {
  absl::Duration decade = absl::Milliseconds(10);
  while (true) {
    for (const int64_t factor : {1, 2, 5}) {
      if (factor * decade * kMostIntervals >= length) return factor * decade;
    }
    decade *= 10;
  }
}

TimeSeries::TimeSeries(absl::Duration length)
    : interval_(IntervalOf(length)),
      intervals_(CountOf(length, interval_) + 1),
      current_end_(EndOf(0)) {}

void TimeSeries::Begin(MonotonicTime now) {
  begin_ = now;
  current_end_ = EndOf(0);
}

void TimeSeries::Merge(const TimeSeries& other) {
  RINGWAY_CHECK(intervals_.size() == other.intervals_.size() &&
                    interval_ == other.interval_,
                "Merge() of series of different lengths");
  for (size_t i = 0; i < intervals_.size(); ++i)
    intervals_[i].Merge(other.intervals_[i]);
}

Histogram TimeSeries::Total() const {
  Histogram total;
  for (const Interval& interval : intervals_) total.Merge(interval.latency_ns);
  return total;
}

Histogram TimeSeries::Recent(MonotonicTime now) const {
  const size_t last = IndexOf(now);
  const auto n =
      static_cast<size_t>(std::max<int64_t>(1, absl::Seconds(1) / interval_));
  Histogram recent;
  for (size_t i = last - std::min(last, n); i <= last; ++i)
    recent.Merge(intervals_[i].latency_ns);
  return recent;
}

std::vector<SeriesRow> TimeSeries::Rows(absl::Duration measured) const {
  const auto whole = static_cast<size_t>(
      std::max<int64_t>(1, (measured + interval_ / 2) / interval_));
  const size_t n = std::min(whole, intervals_.size());
  std::vector<SeriesRow> rows;
  rows.reserve(n);
  for (size_t i = 0; i < n; ++i) {
    Interval sum = intervals_[i];
    const absl::Duration begin = static_cast<int64_t>(i) * interval_;
    absl::Duration length = interval_;
    if (i + 1 == n) {
      for (size_t rest = n; rest < intervals_.size(); ++rest)
        sum.Merge(intervals_[rest]);
      length = measured - begin;
    }
    rows.push_back(
        RowOf(begin, length, sum.latency_ns, sum.offered, sum.errors));
  }
  return rows;
}

void TimeSeries::Interval::Merge(const Interval& other) {
  latency_ns.Merge(other.latency_ns);
  offered += other.offered;
  errors += other.errors;
}

size_t TimeSeries::IndexOf(MonotonicTime at) const {
  const int64_t index = std::max<int64_t>(0, (at - begin_) / interval_);
  return std::min(static_cast<size_t>(index), intervals_.size() - 1);
}

void TimeSeries::MoveTo(MonotonicTime at) {
  current_ = IndexOf(at);
  current_end_ = EndOf(current_);
}

MonotonicTime TimeSeries::EndOf(size_t index) const {
  return index + 1 == intervals_.size()
             ? MonotonicTime::Infinite()
             : begin_ + static_cast<int64_t>(index + 1) * interval_;
}

}  // namespace ringway::loadgen
