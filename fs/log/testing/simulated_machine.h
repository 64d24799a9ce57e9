// SPDX-License-Identifier: Apache-2.0
//
// SimulatedMachine: programs that run one after the other on one simulated
// disk, with power failures between them.

#ifndef RINGWAY_FS_LOG_TESTING_SIMULATED_MACHINE_H_
#define RINGWAY_FS_LOG_TESTING_SIMULATED_MACHINE_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "ringway/backends/sim/sim_backend.h"
#include "ringway/backends/sim/world.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"

namespace ringway::fs::testing {

class SimulatedMachine {
 public:
  explicit SimulatedMachine(uint64_t seed) : world_(seed) {
    world_.environment().alone = true;  // a wait without end aborts
  }

  sim::World& world() { return world_; }
  sim::DiskConditions& disk() { return world_.environment().disk; }
  Rng& rng() { return world_.environment().rng; }
  MonotonicTime now() { return world_.environment().now(); }

  // Runs `main` on an executor of its own until it ends, but at most for
  // `limit`; then whatever still runs ends where it is. True if it ended.
  bool Run(Task<void> main, absl::Duration limit = absl::InfiniteDuration()) {
    ExecutorOptions options;
    options.shutdown_grace = absl::ZeroDuration();
    Executor executor(
        std::make_unique<Loop>(world_.MakeBackend(), options.loop), options);
    const JoinHandle<void> handle = executor.Spawn(std::move(main));
    const MonotonicTime end = now() + limit;
    while (!handle.done() && now() < end) executor.Turn(end);
    return handle.done();
  }

 private:
  sim::World world_;
};

}  // namespace ringway::fs::testing

#endif  // RINGWAY_FS_LOG_TESTING_SIMULATED_MACHINE_H_
