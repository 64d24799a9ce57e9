// SPDX-License-Identifier: Apache-2.0
//
// VirtualTimeExecutor: an executor without a kernel, for tests.
//
// Its clock stands still while anything can run and jumps to the next
// deadline when nothing can, so a test of an hour's sleep takes no time and
// is deterministic. A wait that can never end aborts with a message instead
// of hanging the test.
//
//   ringway::VirtualTimeExecutor executor;
//   const MonotonicTime began = executor.Now();
//   EXPECT_TRUE(executor->Run(SleepForAnHour()).ok());
//   EXPECT_EQ(executor.Now() - began, absl::Hours(1));
//
// task_test.h wraps one around each test.

#ifndef RINGWAY_EXECUTOR_TESTING_VIRTUAL_TIME_EXECUTOR_H_
#define RINGWAY_EXECUTOR_TESTING_VIRTUAL_TIME_EXECUTOR_H_

#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "ringway/backends/sim/sim_backend.h"
#include "ringway/backends/sim/world.h"
#include "ringway/core/time/clock.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/executor.h"

namespace ringway {

// Threads: the thread that made it only.
struct VirtualTimeExecutor {
  // `seed` is that of the simulated world; it determines the faults, if any.
  explicit VirtualTimeExecutor(
      const ExecutorOptions& options = ExecutorOptions(), uint64_t seed = 1)
      : world(seed) {
    world.environment().alone = true;
    executor = std::make_unique<Executor>(
        std::make_unique<Loop>(world.MakeBackend(), options.loop), options);
  }

  Executor* operator->() { return executor.get(); }
  Clock& clock() { return world.environment().clock; }
  MonotonicTime Now() { return clock().Now(); }

  // Advances the clock as if the thread had been busy for `d`.
  void Advance(absl::Duration d) { world.environment().clock.Advance(d); }

  sim::World world;
  std::unique_ptr<Executor> executor;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TESTING_VIRTUAL_TIME_EXECUTOR_H_
