// SPDX-License-Identifier: Apache-2.0
//
// ClosedTally: what one worker has counted in a closed loop, or several have
// together.

#ifndef RINGWAY_TOOLS_LOADGEN_CLOSED_LOOP_CLOSED_TALLY_H_
#define RINGWAY_TOOLS_LOADGEN_CLOSED_LOOP_CLOSED_TALLY_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "ringway/tools/loadgen/error_counts.h"
#include "ringway/tools/loadgen/series/time_series.h"
#include "ringway/tools/loadgen/workers/opening.h"

namespace ringway::loadgen {

// The members are those of ClosedLoopResult.
struct ClosedTally {
  ClosedTally() {}

  uint64_t requests = 0;
  uint64_t lost = 0;
  uint64_t strays = 0;
  uint64_t reopened = 0;
  ErrorCounts errors;
  std::optional<TimeSeries> series;
  OpeningCounts opening;
  absl::Duration measured;
  absl::Duration client_cpu;  // of the first worker, for all
  std::optional<absl::Duration> server_cpu;

  // Adds those of another worker of the same run.
  void Merge(const ClosedTally& other);
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CLOSED_LOOP_CLOSED_TALLY_H_
