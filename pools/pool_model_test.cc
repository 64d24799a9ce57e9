// SPDX-License-Identifier: Apache-2.0
//
// Random programs: several threads queue jobs and take them back, and at some
// time the pool ends. Each job ends in exactly one way, and the counters agree.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/rng.h"
#include "ringway/pools/job_pool.h"
#include "ringway/pools/thread_pool.h"

namespace ringway {
namespace {

// How often each way was taken by one job, or by all of them.
struct Ways {
  std::atomic<uint64_t> run{0};
  std::atomic<uint64_t> dropped{0};
  std::atomic<uint64_t> withdrawn{0};
  std::atomic<uint64_t> full{0};
  std::atomic<uint64_t> too_late{0};

  uint64_t Sum() const { return run + dropped + withdrawn + full + too_late; }
};

class CountedJob : public Job {
 public:
  CountedJob(Ways& all, absl::Duration length) : all_(all), length_(length) {}
  ~CountedJob() override { EXPECT_LE(mine.Sum(), 1u); }

  Ways mine;

 private:
  void Run() noexcept override {
    if (length_ > absl::ZeroDuration()) absl::SleepFor(length_);
    ++mine.run;
    ++all_.run;
  }
  void Drop() noexcept override {
    ++mine.dropped;
    ++all_.dropped;
  }

  Ways& all_;
  const absl::Duration length_;
};

ThreadPoolOptions RandomOptions(Rng& rng) {
  ThreadPoolOptions options;
  options.max_threads = static_cast<uint32_t>(1 + rng.Below(4));
  options.max_queued = static_cast<uint32_t>(rng.Below(3) * rng.Below(20));
  const absl::Duration idle_times[] = {
      absl::ZeroDuration(), absl::Microseconds(50), absl::InfiniteDuration()};
  options.idle_time = idle_times[rng.Below(3)];
  return options;
}

// One thread's share. Takes back any of its last jobs.
void StartAndWithdraw(JobPool& pool, uint64_t seed, size_t n_jobs, Ways& all) {
  Rng rng(seed);
  std::vector<std::shared_ptr<CountedJob>> mine;
  for (size_t i = 0; i < n_jobs; ++i) {
    const auto job = std::make_shared<CountedJob>(
        all, absl::Microseconds(rng.Below(4) == 0 ? rng.Below(60) : 0));
    mine.push_back(job);
    const absl::Status started = pool.Start(job);
    if (absl::IsUnavailable(started)) {
      ++job->mine.too_late;
      ++all.too_late;
    } else if (!started.ok()) {
      EXPECT_TRUE(absl::IsResourceExhausted(started)) << started;
      ++job->mine.full;
      ++all.full;
    }
    CountedJob& other =
        *mine[mine.size() - 1 - rng.Below(std::min<size_t>(mine.size(), 8))];
    if (rng.Below(3) == 0 && pool.Withdraw(other)) {
      ++other.mine.withdrawn;
      ++all.withdrawn;
    }
    if (rng.Below(32) == 0) absl::SleepFor(absl::Microseconds(rng.Below(200)));
  }
}

void RunProgram(uint64_t seed) {
  constexpr size_t kThreads = 3;
  SCOPED_TRACE(seed);
  Rng rng(seed);
  const size_t n_jobs = 20 + rng.Below(200);
  const bool ends_early = rng.Below(2) == 0;
  auto pool = *ThreadPool::Create(RandomOptions(rng));
  const std::shared_ptr<JobPool> jobs = pool->jobs();
  Ways all;
  {
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back(
          [&, t] { StartAndWithdraw(*jobs, seed * 8 + t, n_jobs, all); });
    }
    if (ends_early) {
      absl::SleepFor(absl::Microseconds(rng.Below(2'000)));
      pool.reset();
    }
  }
  if (!ends_early) {
    // None is forgotten in the queue.
    for (int i = 0; i < 20'000 && jobs->stats().queued > 0; ++i)
      absl::SleepFor(absl::Milliseconds(1));
    pool.reset();
    EXPECT_EQ(all.dropped, 0u);
  }
  EXPECT_EQ(all.Sum(), kThreads * n_jobs);
  const JobPoolStats stats = jobs->stats();
  EXPECT_EQ(stats.ended, all.run);
  EXPECT_EQ(stats.dropped, all.dropped);
  EXPECT_EQ(stats.withdrawn, all.withdrawn);
  EXPECT_EQ(stats.refused, all.full);
  EXPECT_EQ(stats.started, all.run + all.dropped + all.withdrawn);
  EXPECT_EQ(stats.queued + stats.running + stats.threads + stats.idle, 0u);
}

// A pool that ended while a job was withdrawn sometimes waited for ever: the
// withdrawal took the token by which a thread was to end.
TEST(PoolModel, EachJobEndsInOneWay) {
  for (uint64_t seed = 1; seed <= 60; ++seed) RunProgram(seed);
}

// The pool's own threads may be anywhere when its last user goes.
TEST(PoolModel, MayEndAtAnyTime) {
  for (int i = 0; i < 100; ++i) {
    Ways all;
    ThreadPoolOptions options;
    options.max_threads = 4;
    options.idle_time = absl::Microseconds(i);
    auto pool = *ThreadPool::Create(options);
    for (int n = 0; n < i % 8; ++n) {
      EXPECT_TRUE(
          pool->jobs()
              ->Start(std::make_shared<CountedJob>(all, absl::ZeroDuration()))
              .ok());
    }
    if (i % 2 == 0) absl::SleepFor(absl::Microseconds(i * 4));
    pool.reset();
    EXPECT_EQ(all.run + all.dropped, static_cast<uint64_t>(i % 8));
  }
}

// One thread, so the order shows.
TEST(PoolModel, JobsBeginInTheOrderOfTheirQueueing) {
  class Numbered : public Job {
   public:
    Numbered(int n, std::vector<int>& order) : n_(n), order_(order) {}

   private:
    void Run() noexcept override { order_.push_back(n_); }
    void Drop() noexcept override {}
    const int n_;
    std::vector<int>& order_;
  };
  constexpr int kJobs = 2'000;
  ThreadPoolOptions options;
  options.max_threads = 1;
  std::vector<int> order, expected;
  auto pool = *ThreadPool::Create(options);
  for (int i = 0; i < kJobs; ++i) {
    const auto job = std::make_shared<Numbered>(i, order);
    ASSERT_TRUE(pool->jobs()->Start(job).ok());
    if (i % 3 != 0 || !pool->jobs()->Withdraw(*job)) expected.push_back(i);
  }
  while (pool->stats().ended < expected.size())
    absl::SleepFor(absl::Milliseconds(1));
  EXPECT_EQ(order, expected);
}

}  // namespace
}  // namespace ringway
