// SPDX-License-Identifier: Apache-2.0
//
// Meter: the counters of a load run.

#ifndef RINGWAY_TOOLS_LOADGEN_METER_H_
#define RINGWAY_TOOLS_LOADGEN_METER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "ringway/core/histogram.h"
#include "ringway/tools/loadgen/error_counts.h"

namespace ringway::loadgen {

// Shared by all connections; one thread.
class Meter {
 public:
  // Requests count only between Start() and Stop(), errors always.
  void Start() { measuring_ = true; }
  void Stop() { measuring_ = false; }

  // `n` replies have arrived `nanoseconds` after their requests were written.
  void RecordReplies(uint64_t nanoseconds, uint64_t n) {
    if (measuring_) latency_.RecordN(nanoseconds, n);
  }
  void RecordError(int connection, const absl::Status& error) {
    errors_.Record(connection, error);
  }

  uint64_t requests() const { return latency_.count(); }
  const Histogram& latency_ns() const { return latency_; }
  const ErrorCounts& errors() const { return errors_; }

 private:
  bool measuring_ = false;
  Histogram latency_;
  ErrorCounts errors_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_METER_H_
