// SPDX-License-Identifier: Apache-2.0

#ifndef RINGWAY_RUNTIME_RUNTIME_REPORT_H_
#define RINGWAY_RUNTIME_RUNTIME_REPORT_H_

#include <cstdint>

#include "ringway/runtime/serving/connection_counts.h"

namespace ringway {

// Counters of a runtime, summed over its workers.
struct RuntimeReport : ConnectionCounts {
  // OnStart and OnStop tasks that returned an error or threw; each is reported
  // on stderr.
  uint64_t start_failed = 0;
  uint64_t stop_failed = 0;
  // Thrown by posted functions, detached tasks and the loops' own functions;
  // each was passed to ExecutorOptions::on_detached_exception.
  uint64_t exceptions = 0;
  uint64_t system_calls = 0;  // of the loops
  uint64_t operations = 0;    // ended, and deliveries of multishot ones
  uint64_t turns = 0;         // of the loops
  uint64_t spins = 0;         // turns that spun before they blocked

  // True when every connection ended by itself.
  bool drained() const { return cut == 0; }
};

namespace internal {

// Adds the counters of one worker.
void Add(RuntimeReport& sum, const RuntimeReport& one);

}  // namespace internal
}  // namespace ringway

#endif  // RINGWAY_RUNTIME_RUNTIME_REPORT_H_
