// SPDX-License-Identifier: Apache-2.0
//
// LoadOptions: what a run of the load generator does, whatever its pacing; and
// Progress: how far it is.

#ifndef RINGWAY_TOOLS_LOADGEN_LOAD_OPTIONS_H_
#define RINGWAY_TOOLS_LOADGEN_LOAD_OPTIONS_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "absl/time/time.h"
#include "ringway/core/histogram.h"
#include "ringway/tools/loadgen/connection/mode.h"
#include "ringway/tools/loadgen/cpu_clock.h"

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

  Mode mode;
  int connections = 32;  // of all workers
  int workers = 1;       // threads
  int first_cpu = -1;    // of the first worker, the next ones follow; -1: any
  // Each request has a connection of its own, `connections` at once.
  bool short_connections = false;
  // How long opening the connections takes, evenly, before the warm-up. Zero:
  // all are opened at once.
  absl::Duration ramp;
  absl::Duration warmup = absl::Milliseconds(500);
  absl::Duration duration = absl::Seconds(5);
  // The limit of connecting, of the exchange on a short connection, and of
  // waiting for the last replies.
  absl::Duration patience = absl::Seconds(5);
  // The process whose processor time is measured besides this one's.
  std::optional<CpuClock> server_cpu;
  // Ends the run early when true, with the figures so far. May be null.
  const std::atomic<bool>* stop = nullptr;
  // Called about once a second while measuring. May be empty.
  std::function<void(const Progress& progress)> on_progress;

  bool stopped() const {
    return stop != nullptr && stop->load(std::memory_order_relaxed);
  }
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_LOAD_OPTIONS_H_
