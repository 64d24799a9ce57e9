// SPDX-License-Identifier: Apache-2.0
//
// Summary: what a load run measured, of either loop, measured just now or read
// from a file. Plots, tables of two runs and thresholds are made from it.

#ifndef RINGWAY_TOOLS_LOADGEN_REPORT_SUMMARY_H_
#define RINGWAY_TOOLS_LOADGEN_REPORT_SUMMARY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ringway/tools/loadgen/closed_loop/closed_loop.h"
#include "ringway/tools/loadgen/load_options.h"
#include "ringway/tools/loadgen/open_loop/open_loop.h"
#include "ringway/tools/loadgen/report/percentiles.h"
#include "ringway/tools/loadgen/series/time_series.h"

namespace ringway::loadgen {

// The processor time of a process.
struct CpuUse {
  CpuUse() {}
  CpuUse(double us, double of_a_core) : us_per_request(us), share(of_a_core) {}

  double us_per_request = 0;
  double share = 0;  // of a core; 2 for two cores
};

// The requests of an open loop that were due.
struct OfferedCounts {
  OfferedCounts() {}

  uint64_t offered = 0;
  uint64_t dropped = 0;
};

struct Summary {
  Summary() {}

  std::string server;        // its address
  std::string load;          // "closed loop, 32 connections, 64 bytes"
  double seconds = 0;        // measured
  size_t request_bytes = 0;  // or of the body of a response
  uint64_t requests = 0;     // answered
  double per_second = 0;     // answers
  uint64_t errors = 0;
  std::optional<OfferedCounts> open;  // none: a closed loop
  // Requests without a reply; none: of a closed loop, except by UDP.
  std::optional<uint64_t> lost;
  double mean_us = 0;
  std::vector<PercentilePoint> percentiles;
  std::optional<CpuUse> client_cpu;
  std::optional<CpuUse> server_cpu;
  std::vector<SeriesRow> series;

  double At(double percentile) const {
    return ValueAt(percentiles, percentile);
  }
};

Summary SummaryOf(const LoadOptions& options, const ClosedLoopResult& result);
Summary SummaryOf(const OpenLoopOptions& options, const OpenLoopResult& result);

// The series as a table with a line of names: comma-separated values, with
// nothing for the percentiles of an interval without requests.
std::string FormatCsv(const Summary& summary);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_REPORT_SUMMARY_H_
