// SPDX-License-Identifier: Apache-2.0
//
// Opening: opens the connections of a worker, all at once or evenly over a
// time, and records how that goes.

#ifndef RINGWAY_TOOLS_LOADGEN_WORKERS_OPENING_H_
#define RINGWAY_TOOLS_LOADGEN_WORKERS_OPENING_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/core/histogram.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/loadgen/connection/connection.h"
#include "ringway/tools/loadgen/load_options.h"
#include "ringway/tools/loadgen/workers/worker_share.h"

namespace ringway::loadgen {

struct OpeningCounts {
  OpeningCounts() {}

  uint64_t opened = 0;
  uint64_t failed = 0;
  absl::Duration took;   // from the begin until the last one was open
  Histogram connect_ns;  // of each that was opened

  // Adds those of another worker.
  void Merge(const OpeningCounts& other);
};

// One thread.
class Opening {
 public:
  // `options` must outlive it.
  Opening(const LoadOptions& options, const WorkerShare& share);

  // The time of the first connection is now.
  void Begin();

  // Opens connection number `index` of all when its time has come. After
  // Begin(), and once for each of this worker.
  //
  // Errors: those of Connection::Open().
  Task<absl::Status> Open(Connection& connection, int index);

  // Waits until all have been opened, or have failed. Returns early when the
  // run is stopped.
  //
  // Errors: Cancelled.
  Task<absl::Status> Wait();

  const OpeningCounts& counts() const { return counts_; }

 private:
  void RecordOpened(MonotonicTime tried_at);

  const LoadOptions& options_;
  MonotonicTime begin_;
  int left_;
  Event all_;  // have been opened, or failed
  OpeningCounts counts_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_WORKERS_OPENING_H_
