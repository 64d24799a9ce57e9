// SPDX-License-Identifier: Apache-2.0
//
// OpenLoopOptions: what an open loop offers, and to what.

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_LOOP_OPTIONS_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_LOOP_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ringway/tools/loadgen/load_options.h"
#include "ringway/tools/loadgen/open_loop/arrivals.h"
#include "ringway/tools/loadgen/open_loop/phases.h"
#include "ringway/tools/loadgen/process_memory.h"

namespace ringway::loadgen {

struct OpenLoopOptions {
  OpenLoopOptions() {}

  // The server, the connections, the requests, and what else is measured. Its
  // `warmup` is at the rate of the first phase; its `duration` and its
  // `mode.depth` are of the closed loop alone.
  LoadOptions load;
  std::vector<Phase> phases;  // at least one
  ArrivalKind arrivals = ArrivalKind::kUniform;
  uint64_t seed = 1;  // of Poisson arrivals
  // How many requests may wait: unanswered on one connection, or in all for a
  // connection to be made. More are dropped.
  size_t queue = 1024;
  std::optional<ProcessMemory> server_memory;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_OPEN_LOOP_OPTIONS_H_
