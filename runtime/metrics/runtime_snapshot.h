// SPDX-License-Identifier: Apache-2.0
//
// RuntimeSnapshot: the counters and gauges of a runtime at one time, for its
// page of metrics.

#ifndef RINGWAY_RUNTIME_METRICS_RUNTIME_SNAPSHOT_H_
#define RINGWAY_RUNTIME_METRICS_RUNTIME_SNAPSHOT_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ringway/core/histogram.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/tls/tls_statistics.h"
#include "ringway/pools/job_pool.h"
#include "ringway/pools/resolver/host_resolver.h"

namespace ringway {

// Of one worker, beside its executor's: see ConnectionCounts. All but the
// gauges since its start.
struct WorkerCounters {
  uint64_t accepted = 0;  // connections
  uint64_t accepted_late = 0;
  uint64_t cut = 0;
  uint64_t forced = 0;
  uint64_t accept_pauses = 0;
  uint64_t refused = 0;  // closed at once: a limit, or no memory
  // Connection tasks that returned, by absl::StatusCode.
  std::array<uint64_t, 17> ended_by_code = {};
  uint64_t ended_throw = 0;  // that threw
  uint64_t start_failed = 0;
  uint64_t listeners_failed = 0;
  uint64_t connections_now = 0;  // gauges
  uint64_t max_connections = 0;
  uint64_t max_tasks = 0;
};

// In nanoseconds. One that is not recorded stays empty.
struct WorkerHistograms {
  Histogram turn;               // of the loop, without waiting
  Histogram task_run;           // until the task suspends
  Histogram ready_delay;        // from ready to running
  Histogram accept_to_handler;  // from the accept to the handler's call
};

struct WorkerSnapshot {
  std::string backend;  // Backend::name()
  ExecutorStats executor;
  WorkerCounters counters;
  std::shared_ptr<const WorkerHistograms> histograms;  // null: all are empty
};

struct PoolSnapshot {
  std::string name;  // each once
  JobPoolStats stats;
};

// Of the TLS context of a listener.
struct TlsSnapshot {
  std::string name;  // of the first listener that has it; each once
  net::TlsStatistics statistics;
};

struct RuntimeSnapshot {
  // By index; none for a worker that has ended or did not answer.
  std::vector<std::optional<WorkerSnapshot>> workers;
  // Those that have been used: "blocking", of RunBlocking() on the workers, and
  // "spawner", of Command.
  std::vector<PoolSnapshot> pools;
  // Of Resolve() on the workers, with its pool, unless it has not been used.
  std::optional<HostResolverStats> resolver;
  std::vector<TlsSnapshot> tls;
};

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_METRICS_RUNTIME_SNAPSHOT_H_
