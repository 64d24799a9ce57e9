// SPDX-License-Identifier: Apache-2.0
//
// SpawnerStats: what has become of the programs that this process has started.

#ifndef RINGWAY_POOLS_SPAWNER_SPAWNER_STATS_H_
#define RINGWAY_POOLS_SPAWNER_SPAWNER_STATS_H_

#include <atomic>
#include <cstdint>

#include "ringway/pools/job_pool.h"

namespace ringway {

// started == ended + running.
struct SpawnerStats {
  // Processes since this one began.
  uint64_t started = 0;
  uint64_t failed = 0;  // that could not be started
  uint64_t ended = 0;   // whose end was seen
  uint64_t killed = 0;  // by dropping their Process

  // Currently.
  uint64_t running = 0;     // as far as was seen, like the next
  uint64_t unattended = 0;  // of these: detached, or their Process was dropped

  // The threads that start them.
  JobPoolStats pool;
};

// In a forked child the counters begin with its parent's.
//
// Threads: any.
SpawnerStats GetSpawnerStats();

namespace internal {

struct ProcessCounters {
  std::atomic<uint64_t> started{0};
  std::atomic<uint64_t> failed{0};
  std::atomic<uint64_t> ended{0};
  std::atomic<uint64_t> killed{0};
  std::atomic<uint64_t> unattended{0};
};

extern ProcessCounters process_counters;

}  // namespace internal
}  // namespace ringway

#endif  // RINGWAY_POOLS_SPAWNER_SPAWNER_STATS_H_
