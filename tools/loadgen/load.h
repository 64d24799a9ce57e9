// SPDX-License-Identifier: Apache-2.0
//
// RunLoad: a closed loop. Opens the connections, lets them warm up, measures,
// and ends them. Each connection waits for its replies before it asks again, so
// a slow server gets less load; open_loop/open_loop.h does not wait.

#ifndef RINGWAY_TOOLS_LOADGEN_LOAD_H_
#define RINGWAY_TOOLS_LOADGEN_LOAD_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "ringway/core/histogram.h"
#include "ringway/executor/task/executor.h"
#include "ringway/tools/loadgen/client.h"
#include "ringway/tools/loadgen/cpu_clock.h"
#include "ringway/tools/loadgen/error_counts.h"
#include "ringway/tools/loadgen/series/time_series.h"
#include "ringway/tools/loadgen/target.h"

namespace ringway::loadgen {

// How far a run is.
struct Progress {
  Progress() {}

  absl::Duration elapsed;  // of the time that is measured
  absl::Duration left;
  uint64_t requests = 0;  // answered so far
  uint64_t errors = 0;
  Histogram recent_ns;  // the latencies of about the last second
};

struct LoadOptions {
  LoadOptions() {}

  Target target;
  int connections = 32;
  ClientOptions client;
  // Each request has a connection of its own, `connections` at once; `client`
  // then writes one request and no batch.
  bool short_connections = false;
  absl::Duration duration = absl::Seconds(5);
  absl::Duration warmup = absl::Milliseconds(500);
  // The process whose processor time is measured besides this one's.
  std::optional<CpuClock> server_cpu;
  // Ends the run early when true, with the figures so far. May be null.
  const std::atomic<bool>* stop = nullptr;
  // Called about once a second while measuring. May be empty.
  std::function<void(const Progress& progress)> on_progress;
};

struct LoadResult {
  uint64_t requests = 0;  // with correct replies while measuring
  ErrorCounts errors;     // of connections that failed, at any time
  Histogram latency_ns;
  std::vector<SeriesRow> series;
  absl::Duration measured;    // how long
  absl::Duration client_cpu;  // used meanwhile
  std::optional<absl::Duration> server_cpu;
};

LoadResult RunLoad(Executor& executor, const LoadOptions& options);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_LOAD_H_
