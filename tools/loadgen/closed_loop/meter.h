// SPDX-License-Identifier: Apache-2.0
//
// Meter: the counters of a closed loop.

#ifndef RINGWAY_TOOLS_LOADGEN_CLOSED_LOOP_METER_H_
#define RINGWAY_TOOLS_LOADGEN_CLOSED_LOOP_METER_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/tools/loadgen/error_counts.h"
#include "ringway/tools/loadgen/series/time_series.h"

namespace ringway::loadgen {

// Shared by all connections; one thread.
class Meter {
 public:
  // Allocates what counting requests for about `length` needs.
  void Prepare(absl::Duration length) { series_.emplace(length); }

  // Requests count only between Start() and Stop(), errors always. Once, after
  // Prepare().
  void Start(MonotonicTime now) {
    series_->Begin(now);
    measuring_ = true;
  }
  void Stop() { measuring_ = false; }

  // `n` replies arrived at `now`, whose requests were written at `written`.
  void RecordReplies(MonotonicTime written, MonotonicTime now, uint64_t n) {
    if (!measuring_) return;
    series_->Record(
        now, static_cast<uint64_t>(now.nanoseconds() - written.nanoseconds()),
        n);
    requests_ += n;
  }
  void RecordLost() {
    if (measuring_) ++lost_;
  }
  void RecordStray() {
    if (measuring_) ++strays_;
  }
  void RecordReopened() {
    if (measuring_) ++reopened_;
  }
  void RecordError(int connection, const absl::Status& error,
                   MonotonicTime now) {
    errors_.Record(connection, error);
    if (measuring_) series_->RecordError(now);
  }

  uint64_t requests() const { return requests_; }
  uint64_t lost() const { return lost_; }
  uint64_t strays() const { return strays_; }
  uint64_t reopened() const { return reopened_; }
  // None before Prepare().
  const std::optional<TimeSeries>& series() const { return series_; }
  const ErrorCounts& errors() const { return errors_; }

 private:
  bool measuring_ = false;
  uint64_t requests_ = 0;
  uint64_t lost_ = 0;
  uint64_t strays_ = 0;
  uint64_t reopened_ = 0;
  std::optional<TimeSeries> series_;
  ErrorCounts errors_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CLOSED_LOOP_METER_H_
