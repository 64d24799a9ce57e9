// SPDX-License-Identifier: Apache-2.0
//
// OpenTally: what one worker has counted in an open loop, or several have
// together.

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_TALLY_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_TALLY_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "ringway/tools/loadgen/error_counts.h"
#include "ringway/tools/loadgen/open_loop/open_meter.h"
#include "ringway/tools/loadgen/series/time_series.h"
#include "ringway/tools/loadgen/workers/opening.h"

namespace ringway::loadgen {

// The members are those of OpenLoopResult.
struct OpenTally {
  explicit OpenTally(TimeSeries s) : series(std::move(s)) {}

  std::vector<PhaseCounts> phases;
  uint64_t unanswered = 0;
  TimeSeries series;
  OpeningCounts opening;
  ErrorCounts errors;
  absl::Duration client_cpu;  // of the first worker, for all
  std::optional<absl::Duration> server_cpu;

  // Adds those of another worker of the same run.
  void Merge(const OpenTally& other);
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_TALLY_H_
