// SPDX-License-Identifier: Apache-2.0
//
// RunOpenLoop: offers requests at given rates, however fast the replies come.
//
// A closed loop (closed_loop/) waits for a slow server and so asks it less, and
// the requests that it did not make are in no percentile. Here each request has
// an intended time, and its latency is counted from that, also if it was sent
// late: what its user would have waited.

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_LOOP_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_LOOP_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/task/executor.h"
#include "ringway/tools/loadgen/error_counts.h"
#include "ringway/tools/loadgen/open_loop/open_loop_options.h"
#include "ringway/tools/loadgen/open_loop/open_meter.h"
#include "ringway/tools/loadgen/series/time_series.h"
#include "ringway/tools/loadgen/workers/opening.h"
#include "ringway/tools/loadgen/workers/run_on_workers.h"

namespace ringway::loadgen {

struct OpenLoopResult {
  std::vector<PhaseCounts> phases;  // those that began, without the warm-up
  PhaseCounts total;                // of these
  uint64_t unanswered = 0;          // at the very end, warm-up included
  std::vector<SeriesRow> series;    // of the phases' time
  OpeningCounts opening;            // of connections that stay
  ErrorCounts errors;               // at any time
  absl::Duration client_cpu;        // used in the phases
  std::optional<absl::Duration> server_cpu;
};

// On this thread, by the loop's clock: virtual in a simulated world.
OpenLoopResult RunOpenLoop(Executor& executor, const OpenLoopOptions& options);

// On as many threads as there are workers, by the real clock. Errors: those
// of RunOnWorkers().
absl::StatusOr<OpenLoopResult> RunOpenLoopOnWorkers(
    const OpenLoopOptions& options);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_LOOP_H_
