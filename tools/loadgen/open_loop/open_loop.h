// SPDX-License-Identifier: Apache-2.0
//
// RunOpenLoop: offers requests at given rates, however fast the replies come.
//
// A closed loop (load.h) waits for a slow server and so asks it less, and the
// requests that it did not make are in no percentile. Here each request has an
// intended time, and its latency is counted from that, also if it was sent
// late: what its user would have waited.

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_LOOP_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_LOOP_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "ringway/executor/task/executor.h"
#include "ringway/tools/loadgen/cpu_clock.h"
#include "ringway/tools/loadgen/error_counts.h"
#include "ringway/tools/loadgen/load.h"
#include "ringway/tools/loadgen/open_loop/arrivals.h"
#include "ringway/tools/loadgen/open_loop/open_meter.h"
#include "ringway/tools/loadgen/open_loop/phases.h"
#include "ringway/tools/loadgen/process_memory.h"
#include "ringway/tools/loadgen/series/time_series.h"

namespace ringway::loadgen {

struct OpenLoopOptions {
  OpenLoopOptions() {}

  // The server, the connections, the requests, and what else is measured. Its
  // `warmup` is at the rate of the first phase; its `duration` and its
  // `client.pipeline` are of the closed loop alone.
  LoadOptions load;
  std::vector<Phase> phases;  // at least one
  ArrivalKind arrivals = ArrivalKind::kUniform;
  uint64_t seed = 1;    // of Poisson arrivals
  size_t queue = 1024;  // PacedTargetOptions::queue
  std::optional<ProcessMemory> server_memory;
  // How long to wait for connections, and for the last replies.
  absl::Duration patience = absl::Seconds(5);
};

struct OpenLoopResult {
  std::vector<PhaseCounts> phases;  // those that began, without the warm-up
  PhaseCounts total;                // of these
  uint64_t unanswered = 0;          // at the very end, warm-up included
  std::vector<SeriesRow> series;    // of the phases' time
  ErrorCounts errors;               // at any time
  absl::Duration client_cpu;        // used in the phases
  std::optional<absl::Duration> server_cpu;
};

// The clock is the loop's: virtual in a simulated world.
OpenLoopResult RunOpenLoop(Executor& executor, const OpenLoopOptions& options);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_LOOP_H_
