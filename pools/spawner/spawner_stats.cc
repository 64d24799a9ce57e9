// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/spawner/spawner_stats.h"

#include "ringway/pools/spawner/spawner_pool.h"

namespace ringway {

SpawnerStats GetSpawnerStats() {
  const internal::ProcessCounters& counters = internal::process_counters;
  SpawnerStats stats;
  // Ends are read before starts, so that no difference is negative.
  stats.ended = counters.ended.load();
  stats.unattended = counters.unattended.load();
  stats.killed = counters.killed.load();
  stats.failed = counters.failed.load();
  stats.started = counters.started.load();
  stats.running = stats.started - stats.ended;
  if (const auto pool = SpawnerPoolIfMade()) stats.pool = pool->stats();
  return stats;
}

namespace internal {

constinit ProcessCounters process_counters;

}  // namespace internal
}  // namespace ringway
