// SPDX-License-Identifier: Apache-2.0
//
// RunLoad: opens the connections, lets them warm up, measures, and ends them.

#ifndef RINGWAY_TOOLS_LOADGEN_LOAD_H_
#define RINGWAY_TOOLS_LOADGEN_LOAD_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "ringway/core/histogram.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/socket_address.h"
#include "ringway/tools/loadgen/client.h"
#include "ringway/tools/loadgen/cpu_clock.h"

namespace ringway::loadgen {

struct LoadOptions {
  LoadOptions() {}

  net::SocketAddress address;
  int connections = 32;
  ClientOptions client;
  absl::Duration duration = absl::Seconds(5);
  absl::Duration warmup = absl::Milliseconds(500);
  // The process whose processor time is measured besides this one's.
  std::optional<CpuClock> server_cpu;
  // Ends the run early when true, with the figures so far. May be null.
  const std::atomic<bool>* stop = nullptr;
  // Called about once a second while measuring. May be empty.
  std::function<void(absl::Duration elapsed, uint64_t requests,
                     uint64_t errors)>
      on_progress;
};

struct LoadResult {
  uint64_t requests = 0;  // with correct replies while measuring
  uint64_t errors = 0;    // connections that failed, at any time
  std::string first_error;
  Histogram latency_ns;
  absl::Duration measured;    // how long
  absl::Duration client_cpu;  // used meanwhile
  std::optional<absl::Duration> server_cpu;
};

LoadResult RunLoad(Executor& executor, const LoadOptions& options);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_LOAD_H_
