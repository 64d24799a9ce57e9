// SPDX-License-Identifier: Apache-2.0
//
// TimeSeries: what happened in each interval of a load run, as histograms of
// equal lengths of time.
//
// All memory is allocated at the begin, and recording costs a comparison more
// than a histogram's, so the run itself is recorded here and nowhere else: its
// latencies are the sum of the intervals.
//
//   TimeSeries series(absl::Seconds(5));
//   series.Begin(clock.Now());
//   series.Record(now, latency_ns, /*n=*/1);
//   for (const SeriesRow& row : series.Rows(measured)) ...

#ifndef RINGWAY_TOOLS_LOADGEN_SERIES_TIME_SERIES_H_
#define RINGWAY_TOOLS_LOADGEN_SERIES_TIME_SERIES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "ringway/core/histogram.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::loadgen {

// One interval of a run. Percentiles are 0 without requests.
struct SeriesRow {
  SeriesRow() {}

  absl::Duration begin;  // since the run began
  absl::Duration length;
  uint64_t offered = 0;   // requests that were due; 0 in a closed loop
  uint64_t requests = 0;  // answered, by when the answer came
  uint64_t errors = 0;
  uint64_t p50_ns = 0;  // of those requests
  uint64_t p99_ns = 0;
  uint64_t max_ns = 0;
};

// One thread.
class TimeSeries {
 public:
  // A run has at most this many intervals, and one more for what comes late.
  static constexpr int64_t kMostIntervals = 120;

  // The shortest of 10, 20, 50, 100, ... ms that gives a run of this length no
  // more than kMostIntervals.
  static absl::Duration IntervalOf(absl::Duration length);

  // A run that takes about `length`. Allocates all memory.
  explicit TimeSeries(absl::Duration length);
  // A run that begins at `begin`.
  TimeSeries(MonotonicTime begin, absl::Duration length) : TimeSeries(length) {
    Begin(begin);
  }

  // The run begins `now`. Before anything is recorded.
  void Begin(MonotonicTime now);

  // `n` requests were answered `at` this time. An instant before that of an
  // earlier call counts in the interval of that call, one after the last
  // interval in the last one.
  void Record(MonotonicTime at, uint64_t latency_ns, uint64_t n) {
    if (at >= current_end_) [[unlikely]]
      MoveTo(at);
    intervals_[current_].latency_ns.RecordN(latency_ns, n);
  }
  void RecordOffered(MonotonicTime at) {
    if (at >= current_end_) [[unlikely]]
      MoveTo(at);
    ++intervals_[current_].offered;
  }
  void RecordError(MonotonicTime at) {
    if (at >= current_end_) [[unlikely]]
      MoveTo(at);
    ++intervals_[current_].errors;
  }

  // Adds what another series of the same `length` has recorded, interval by
  // interval: that of another thread, which began at about the same time.
  void Merge(const TimeSeries& other);

  // The latencies of the whole run.
  Histogram Total() const;
  // Those of about the last second before `now`: the interval of `now` and
  // those before it which began in that second.
  Histogram Recent(MonotonicTime now) const;

  // All intervals of a run that took `measured`, also those in which nothing
  // happened. What is left of an interval at the end is a row of its own if
  // it is at least half of one, otherwise part of the row before.
  std::vector<SeriesRow> Rows(absl::Duration measured) const;

  absl::Duration interval() const { return interval_; }

 private:
  struct Interval {
    Histogram latency_ns;
    uint64_t offered = 0;
    uint64_t errors = 0;

    void Merge(const Interval& other);
  };

  size_t IndexOf(MonotonicTime at) const;
  void MoveTo(MonotonicTime at);
  MonotonicTime EndOf(size_t index) const;

  MonotonicTime begin_;
  absl::Duration interval_;
  std::vector<Interval> intervals_;
  size_t current_ = 0;
  MonotonicTime current_end_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_SERIES_TIME_SERIES_H_
