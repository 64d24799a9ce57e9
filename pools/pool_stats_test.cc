// SPDX-License-Identifier: Apache-2.0
//
// Each counter of JobPoolStats moves, and they always add up.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/rng.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/pools/blocking/run_blocking.h"
#include "ringway/pools/simulated_pool.h"
#include "ringway/pools/thread_pool.h"

namespace ringway {
namespace {

class CallOfStats : public Job {
 public:
  explicit CallOfStats(std::function<void()> fn = [] {}) : fn_(std::move(fn)) {}

 private:
  void Run() noexcept override { fn_(); }
  void Drop() noexcept override {}

  const std::function<void()> fn_;
};

uint64_t Sum(const JobPoolStats& stats) {
  return stats.ended + stats.withdrawn + stats.dropped + stats.queued +
         stats.running;
}

template <typename F>
void AwaitTrue(F condition) {
  for (int i = 0; i < 20'000 && !condition(); ++i)
    absl::SleepFor(absl::Milliseconds(1));
  ASSERT_TRUE(condition());
}

std::unique_ptr<ThreadPool> MakePool(uint32_t max_threads,
                                     uint32_t max_queued) {
  ThreadPoolOptions options;
  options.max_threads = max_threads;
  options.max_queued = max_queued;
  return *ThreadPool::Create(options);
}

TEST(ThreadPoolStats, CountsEachJobWhereItIs) {
  std::counting_semaphore<8> may_end{0};
  const auto block = [&] { may_end.acquire(); };
  auto pool = MakePool(2, 2);
  const std::shared_ptr<JobPool> jobs = pool->jobs();
  EXPECT_EQ(jobs->stats().threads, 0u);

  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(jobs->Start(std::make_shared<CallOfStats>(block)).ok());
  AwaitTrue([&] { return jobs->stats().running == 2; });
  EXPECT_EQ(jobs->stats().threads, 2u);
  EXPECT_EQ(jobs->stats().idle, 0u);

  const auto withdrawn = std::make_shared<CallOfStats>();
  EXPECT_TRUE(jobs->Start(withdrawn).ok());
  EXPECT_TRUE(jobs->Start(std::make_shared<CallOfStats>()).ok());
  EXPECT_FALSE(jobs->Start(std::make_shared<CallOfStats>()).ok());
  EXPECT_EQ(jobs->stats().queued, 2u);
  EXPECT_EQ(jobs->stats().refused, 1u);
  EXPECT_TRUE(jobs->Withdraw(*withdrawn));
  EXPECT_EQ(jobs->stats().queued, 1u);
  EXPECT_EQ(jobs->stats().withdrawn, 1u);
  EXPECT_EQ(Sum(jobs->stats()), 4u);

  may_end.release(2);
  AwaitTrue([&] { return jobs->stats().ended == 3; });
  EXPECT_EQ(jobs->stats().idle, 2u);
  EXPECT_EQ(jobs->stats().running, 0u);
  EXPECT_EQ(jobs->stats().most_queued, 2u);
  EXPECT_EQ(jobs->stats().most_threads, 2u);
}

TEST(ThreadPoolStats, CountsWhatItsEndDrops) {
  std::counting_semaphore<8> may_end{0};
  auto pool = MakePool(1, 10);
  const std::shared_ptr<JobPool> jobs = pool->jobs();
  EXPECT_TRUE(
      jobs->Start(std::make_shared<CallOfStats>([&] { may_end.acquire(); }))
          .ok());
  AwaitTrue([&] { return jobs->stats().running == 1; });
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(jobs->Start(std::make_shared<CallOfStats>()).ok());
  std::thread ender([&] { pool.reset(); });
  AwaitTrue([&] { return jobs->stats().dropped == 3; });
  EXPECT_EQ(Sum(jobs->stats()), 4u);
  may_end.release();
  ender.join();
  EXPECT_EQ(jobs->stats().ended, 1u);
  EXPECT_EQ(jobs->stats().idle, 0u);
}

TEST(ThreadPoolStats, KnowsHowLongJobsHaveWaited) {
  constexpr absl::Duration kWait = absl::Milliseconds(20);
  std::counting_semaphore<8> may_end{0};
  const auto pool = MakePool(1, 10);
  EXPECT_EQ(pool->stats().longest_wait, absl::ZeroDuration());
  EXPECT_TRUE(
      pool->jobs()
          ->Start(std::make_shared<CallOfStats>([&] { may_end.acquire(); }))
          .ok());
  AwaitTrue([&] { return pool->stats().running == 1; });
  const absl::Duration first = pool->stats().longest_wait;
  const absl::Time queued = absl::Now();
  EXPECT_TRUE(pool->jobs()->Start(std::make_shared<CallOfStats>()).ok());
  while (absl::Now() - queued < first + kWait) absl::SleepFor(kWait);
  may_end.release();
  AwaitTrue([&] { return pool->stats().ended == 2; });
  const JobPoolStats stats = pool->stats();
  EXPECT_GE(stats.longest_wait, first + kWait / 2);
  EXPECT_LE(stats.longest_wait, absl::Now() - queued + kWait / 2);
  EXPECT_EQ(stats.p99_wait, stats.longest_wait);
  EXPECT_LT(stats.median_wait, stats.longest_wait);
}

TEST(ThreadPoolStats, AddUpAtAnyTimeOnAnyThread) {
  const auto pool = MakePool(3, 50);
  std::atomic<bool> stop{false};
  std::vector<std::jthread> starters;
  for (uint64_t seed = 0; seed < 2; ++seed) {
    starters.emplace_back([&, seed] {
      Rng rng(seed);
      while (!stop) {
        const auto job = std::make_shared<CallOfStats>();
        if (pool->jobs()->Start(job).ok() && rng.Below(2) == 0)
          pool->jobs()->Withdraw(*job);
      }
    });
  }
  for (int i = 0; i < 2'000 || pool->stats().ended == 0; ++i) {
    const JobPoolStats stats = pool->stats();
    EXPECT_EQ(stats.started, Sum(stats));
    EXPECT_EQ(stats.threads, stats.idle + stats.running);
  }
  stop = true;
}

// --- SimulatedPool

class SimulatedPoolStats : public TaskTest {};

RINGWAY_TEST_F(SimulatedPoolStats, CountTheSameInVirtualTime) {
  SimulatedPoolOptions options;
  options.max_threads = 1;
  options.max_queued = 2;
  options.least_latency = options.most_latency = absl::Milliseconds(3);
  const auto pool = SimulatedPool::Create(loop(), options);
  const auto withdrawn = std::make_shared<CallOfStats>();
  EXPECT_TRUE(pool->Start(std::make_shared<CallOfStats>()).ok());
  EXPECT_TRUE(pool->Start(withdrawn).ok());
  EXPECT_TRUE(pool->Start(std::make_shared<CallOfStats>()).ok());
  EXPECT_FALSE(pool->Start(std::make_shared<CallOfStats>()).ok());
  EXPECT_TRUE(pool->Withdraw(*withdrawn));
  EXPECT_EQ(pool->stats().running, 1u);
  EXPECT_EQ(pool->stats().queued, 1u);
  EXPECT_EQ(pool->stats().threads, 1u);
  EXPECT_EQ(pool->stats().idle, 0u);
  EXPECT_EQ(Sum(pool->stats()), 3u);
  EXPECT_TRUE((co_await RunBlockingOn(pool, [] {})).ok());
  const JobPoolStats stats = pool->stats();
  EXPECT_EQ(stats.ended, 3u);
  EXPECT_EQ(stats.withdrawn, 1u);
  EXPECT_EQ(stats.refused, 1u);
  EXPECT_EQ(stats.idle, 1u);
  EXPECT_EQ(stats.most_queued, 2u);
  EXPECT_GE(stats.median_wait, absl::Milliseconds(3));
  EXPECT_LE(stats.median_wait, absl::Milliseconds(3) * 65 / 64);
  EXPECT_EQ(stats.longest_wait, absl::Milliseconds(6));
}

TEST(SimulatedPoolStatsAtTheEnd, CountWhatTheLoopDropped) {
  auto executor = *Executor::Create();
  const auto pool = SimulatedPool::Create(executor->loop());
  for (int i = 0; i < 70; ++i)
    EXPECT_TRUE(pool->Start(std::make_shared<CallOfStats>()).ok());
  executor.reset();
  EXPECT_EQ(pool->stats().dropped, 70u);
  EXPECT_EQ(Sum(pool->stats()), 70u);
}

}  // namespace
}  // namespace ringway
