// SPDX-License-Identifier: Apache-2.0
//
// StartLine: workers begin to measure at the same time, when all are ready.

#ifndef RINGWAY_TOOLS_LOADGEN_WORKERS_START_LINE_H_
#define RINGWAY_TOOLS_LOADGEN_WORKERS_START_LINE_H_

#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/task.h"

namespace ringway::loadgen {

// Threads: any.
class StartLine {
 public:
  explicit StartLine(int workers)
      : arrived_(static_cast<size_t>(workers)), missing_(workers) {}

  // This worker is ready, or will not take part. Once for each counts.
  void Arrive(int worker, MonotonicTime now);

  // When all begin; none before all have arrived. It is a little later than
  // the last arrival, if there are several workers, so that each can be there.
  std::optional<MonotonicTime> begin() const;

 private:
  mutable std::mutex mutex_;
  std::vector<bool> arrived_;
  int missing_;
  std::optional<MonotonicTime> begin_;
};

// Arrives, and waits until all begin. Returns that time.
//
// Errors: Cancelled.
Task<absl::StatusOr<MonotonicTime>> WaitForStart(StartLine& line, int worker);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_WORKERS_START_LINE_H_
