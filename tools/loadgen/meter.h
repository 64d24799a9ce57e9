// SPDX-License-Identifier: Apache-2.0
//
// Meter: the counters of a load run.

#ifndef RINGWAY_TOOLS_LOADGEN_METER_H_
#define RINGWAY_TOOLS_LOADGEN_METER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/histogram.h"

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
    if (errors_++ > 0) return;
    first_error_ =
        absl::StrCat("connection ", connection, ": ", error.message());
  }

  uint64_t requests() const { return latency_.count(); }
  const Histogram& latency_ns() const { return latency_; }
  uint64_t errors() const { return errors_; }
  const std::string& first_error() const { return first_error_; }

 private:
  bool measuring_ = false;
  Histogram latency_;
  uint64_t errors_ = 0;
  std::string first_error_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_METER_H_
