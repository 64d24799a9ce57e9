// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/simulated_pool.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/pools/blocking/run_blocking.h"

namespace ringway {
namespace {

class SimulatedPoolTest : public TaskTest {
 protected:
  void Use(SimulatedPoolOptions options) {
    pool_ = SimulatedPool::Create(loop(), options);
    SetBlockingPool(executor(), pool_);
  }

  static SimulatedPoolOptions Taking(absl::Duration latency) {
    SimulatedPoolOptions options;
    options.least_latency = options.most_latency = latency;
    return options;
  }

  static Task<absl::StatusOr<int>> Square(int i) {
    co_return co_await RunBlocking([i] { return i * i; });
  }

  std::shared_ptr<SimulatedPool> pool_;
};

RINGWAY_TEST_F(SimulatedPoolTest, ACallTakesVirtualTime) {
  Use(Taking(absl::Hours(1)));
  const MonotonicTime start = Now();
  EXPECT_EQ(*co_await RunBlocking([] { return 7; }), 7);
  EXPECT_EQ(Now() - start, absl::Hours(1));
}

RINGWAY_TEST_F(SimulatedPoolTest, AsManyRunAtATimeAsThereAreThreads) {
  SimulatedPoolOptions options = Taking(absl::Seconds(1));
  options.max_threads = 2;
  options.max_queued = 2;
  Use(options);
  const MonotonicTime start = Now();
  std::vector<JoinHandle<absl::StatusOr<int>>> calls;
  for (int i = 0; i < 5; ++i) calls.push_back(Spawn(Square(i)));
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(*co_await calls[static_cast<size_t>(i)], i * i);
  EXPECT_EQ(Now() - start, absl::Seconds(2));
  EXPECT_TRUE(absl::IsResourceExhausted((co_await calls[4]).status()));
  EXPECT_EQ(pool_->stats().most_threads, 2u);
  EXPECT_EQ(pool_->stats().refused, 1u);
}

RINGWAY_TEST_F(SimulatedPoolTest, WhatWaitsIsWithdrawnAndWhatRunsIsLeft) {
  SimulatedPoolOptions options = Taking(absl::Seconds(1));
  options.max_threads = 1;
  Use(options);
  int n_run = 0;
  auto call = [&]() -> Task<absl::Status> {
    co_return co_await RunBlocking([&n_run] { ++n_run; });
  };
  JoinHandle<absl::Status> running = Spawn(call());
  JoinHandle<absl::Status> queued = Spawn(call());
  static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
  running.Cancel();
  queued.Cancel();
  EXPECT_TRUE(absl::IsCancelled(co_await running));
  EXPECT_TRUE(absl::IsCancelled(co_await queued));
  EXPECT_EQ(n_run, 0);
  static_cast<void>(co_await Sleep(absl::Seconds(2)));
  EXPECT_EQ(n_run, 1);
  EXPECT_EQ(pool_->stats().withdrawn, 1u);
}

RINGWAY_TEST_F(SimulatedPoolTest, EqualSeedsTakeEqualTimes) {
  std::vector<absl::Duration> times;
  for (const uint64_t seed : {1, 1, 2}) {
    SimulatedPoolOptions options;
    options.seed = seed;
    Use(options);
    const MonotonicTime start = Now();
    for (int i = 0; i < 10; ++i) EXPECT_TRUE((co_await Square(i)).ok());
    times.push_back(Now() - start);
  }
  EXPECT_EQ(times[0], times[1]);
  EXPECT_NE(times[0], times[2]);
}

TEST(SimulatedPool, OutlivesItsLoop) {
  std::shared_ptr<SimulatedPool> pool;
  {
    VirtualTimeExecutor world;
    pool = SimulatedPool::Create(world->loop());
    SetBlockingPool(*world.executor, pool);
    auto call = []() -> Task<absl::Status> {
      co_return co_await RunBlocking([] {});
    };
    world->Spawn(call()).Detach();
    auto once = []() -> Task<void> { co_await Yield(); };
    EXPECT_EQ(world->Run(once()), absl::OkStatus());
    EXPECT_EQ(pool->stats().running, 1u);
  }
  EXPECT_EQ(pool->stats().running, 0u);
  class Nothing : public Job {
    void Run() noexcept override {}
    void Drop() noexcept override {}
  };
  EXPECT_TRUE(absl::IsUnavailable(pool->Start(std::make_shared<Nothing>())));
}

}  // namespace
}  // namespace ringway
