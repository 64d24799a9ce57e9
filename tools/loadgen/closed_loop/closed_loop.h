// SPDX-License-Identifier: Apache-2.0
//
// RunClosedLoop: opens the connections, lets them warm up, measures, and ends
// them. Each connection waits for its replies before it asks again, so a slow
// server gets less load; open_loop/open_loop.h does not wait.

#ifndef RINGWAY_TOOLS_LOADGEN_CLOSED_LOOP_CLOSED_LOOP_H_
#define RINGWAY_TOOLS_LOADGEN_CLOSED_LOOP_CLOSED_LOOP_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/histogram.h"
#include "ringway/executor/task/executor.h"
#include "ringway/tools/loadgen/error_counts.h"
#include "ringway/tools/loadgen/load_options.h"
#include "ringway/tools/loadgen/series/time_series.h"
#include "ringway/tools/loadgen/workers/opening.h"
#include "ringway/tools/loadgen/workers/run_on_workers.h"

namespace ringway::loadgen {

struct ClosedLoopResult {
  ClosedLoopResult() {}

  uint64_t requests = 0;  // with correct replies while measuring
  uint64_t lost = 0;      // without one in time, by UDP
  uint64_t strays = 0;    // replies that came later than that, or twice
  uint64_t reopened = 0;  // connections that the server had closed, by HTTP
  ErrorCounts errors;     // of connections and requests, at any time
  Histogram latency_ns;
  std::vector<SeriesRow> series;
  OpeningCounts opening;      // of connections that stay
  absl::Duration measured;    // how long
  absl::Duration client_cpu;  // used meanwhile
  std::optional<absl::Duration> server_cpu;
};

// On this thread, by the loop's clock: virtual in a simulated world.
ClosedLoopResult RunClosedLoop(Executor& executor, const LoadOptions& options);

// On as many threads as there are workers, by the real clock. Errors: those
// of RunOnWorkers().
absl::StatusOr<ClosedLoopResult> RunClosedLoopOnWorkers(
    const LoadOptions& options);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CLOSED_LOOP_CLOSED_LOOP_H_
