// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/rng.h"

namespace ringway {
namespace {

// A job that calls a function.
class Calling : public Job {
 public:
  explicit Calling(std::function<void()> fn) : fn_(std::move(fn)) {}
  bool ran() const { return ran_.load(); }
  bool dropped() const { return dropped_.load(); }

 private:
  void Run() noexcept override {
    fn_();
    ran_ = true;
  }
  void Drop() noexcept override { dropped_ = true; }

  const std::function<void()> fn_;
  std::atomic<bool> ran_{false};
  std::atomic<bool> dropped_{false};
};

// Waits for `done`, which another thread makes true.
template <typename F>
void WaitUntil(F done) {
  for (int i = 0; i < 20'000 && !done(); ++i)
    absl::SleepFor(absl::Milliseconds(1));
  ASSERT_TRUE(done());
}

// A job that waits until it may go on.
struct Blocking {
  std::counting_semaphore<1'000> may_end{0};
  std::shared_ptr<Calling> job =
      std::make_shared<Calling>([this] { may_end.acquire(); });
};

std::unique_ptr<ThreadPool> Make(uint32_t max_threads, uint32_t max_queued,
                                 absl::Duration idle = absl::Seconds(10)) {
  ThreadPoolOptions options;
  options.max_threads = max_threads;
  options.max_queued = max_queued;
  options.idle_time = idle;
  return *ThreadPool::Create(options);
}

TEST(ThreadPool, RefusesOptionsThatAreOutOfRangeByName) {
  const std::vector<
      std::pair<std::string, std::function<void(ThreadPoolOptions&)>>>
      wrong = {
          {"name", [](ThreadPoolOptions& o) { o.name = ""; }},
          {"name", [](ThreadPoolOptions& o) { o.name = "eleven byte"; }},
          {"max_threads", [](ThreadPoolOptions& o) { o.max_threads = 0; }},
          {"max_threads",
           [](ThreadPoolOptions& o) { o.max_threads = kMostPoolThreads + 1; }},
          {"max_queued",
           [](ThreadPoolOptions& o) { o.max_queued = kMostQueuedJobs + 1; }},
          {"idle_time",
           [](ThreadPoolOptions& o) { o.idle_time = -absl::Seconds(1); }},
      };
  for (const auto& [name, change] : wrong) {
    ThreadPoolOptions options;
    change(options);
    const absl::Status refused = ThreadPool::Create(options).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << name;
    EXPECT_TRUE(absl::StrContains(refused.message(), name)) << refused;
  }
}

TEST(ThreadPool, StartsThreadsAsJobsComeAndNoMoreThanItMay) {
  std::vector<std::unique_ptr<Blocking>> jobs;
  const auto pool = Make(3, 10);
  EXPECT_EQ(pool->stats().threads, 0u);
  for (int i = 0; i < 5; ++i) {
    jobs.push_back(std::make_unique<Blocking>());
    EXPECT_EQ(pool->jobs()->Start(jobs.back()->job), absl::OkStatus());
  }
  WaitUntil([&] { return pool->stats().running == 3; });
  EXPECT_EQ(pool->stats().threads, 3u);
  EXPECT_EQ(pool->stats().queued, 2u);
  for (const auto& job : jobs) job->may_end.release();
  WaitUntil([&] { return pool->stats().ended == 5; });
  const JobPoolStats stats = pool->stats();
  EXPECT_EQ(stats.started, 5u);
  EXPECT_EQ(stats.most_threads, 3u);
  EXPECT_GE(stats.most_queued, 2u);
}

TEST(ThreadPool, OneIdleThreadServesOneJobAfterTheOther) {
  const auto pool = Make(8, 0);
  for (uint64_t i = 1; i <= 50; ++i) {
    EXPECT_EQ(pool->jobs()->Start(std::make_shared<Calling>([] {})),
              absl::OkStatus());
    WaitUntil([&] { return pool->stats().ended == i; });
  }
  EXPECT_EQ(pool->stats().most_threads, 1u);
}

TEST(ThreadPool, RefusesJobsBeyondItsQueueAndSaysWhich) {
  for (const uint32_t max_queued : {0u, 1u, 4u}) {
    std::vector<std::unique_ptr<Blocking>> jobs;
    const auto pool = Make(2, max_queued);
    for (uint32_t i = 0; i < 2 + max_queued; ++i) {
      jobs.push_back(std::make_unique<Blocking>());
      EXPECT_EQ(pool->jobs()->Start(jobs.back()->job), absl::OkStatus());
    }
    const absl::Status refused =
        pool->jobs()->Start(std::make_shared<Calling>([] {}));
    EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
    EXPECT_TRUE(absl::StrContains(refused.message(), "max_queued")) << refused;
    EXPECT_EQ(pool->stats().refused, 1u);
    for (const auto& job : jobs) job->may_end.release();
    WaitUntil([&] { return pool->stats().ended == jobs.size(); });
    EXPECT_EQ(pool->jobs()->Start(std::make_shared<Calling>([] {})),
              absl::OkStatus());
  }
}

TEST(ThreadPool, IdleThreadsEndAndNewOnesStart) {
  std::vector<std::unique_ptr<Blocking>> jobs;
  const auto pool = Make(4, 10, absl::Milliseconds(5));
  for (uint64_t round = 1; round <= 3; ++round) {
    jobs.clear();
    for (int i = 0; i < 4; ++i) {
      jobs.push_back(std::make_unique<Blocking>());
      EXPECT_EQ(pool->jobs()->Start(jobs.back()->job), absl::OkStatus());
    }
    WaitUntil([&] { return pool->stats().running == 4; });
    for (const auto& job : jobs) job->may_end.release();
    WaitUntil([&] { return pool->stats().threads == 0; });
    EXPECT_EQ(pool->stats().ended, 4 * round);
  }
}

TEST(ThreadPool, AWithdrawnJobNeverRuns) {
  Blocking first;
  const auto pool = Make(1, 10);
  EXPECT_EQ(pool->jobs()->Start(first.job), absl::OkStatus());
  WaitUntil([&] { return pool->stats().running == 1; });
  const auto withdrawn = std::make_shared<Calling>([] {});
  const auto kept = std::make_shared<Calling>([] {});
  EXPECT_EQ(pool->jobs()->Start(withdrawn), absl::OkStatus());
  EXPECT_EQ(pool->jobs()->Start(kept), absl::OkStatus());
  EXPECT_TRUE(pool->jobs()->Withdraw(*withdrawn));
  EXPECT_FALSE(pool->jobs()->Withdraw(*withdrawn));
  EXPECT_FALSE(pool->jobs()->Withdraw(*first.job)) << "it runs";
  first.may_end.release();
  WaitUntil([&] { return kept->ran(); });
  EXPECT_FALSE(pool->jobs()->Withdraw(*kept)) << "it has run";
  EXPECT_FALSE(withdrawn->ran());
  EXPECT_FALSE(withdrawn->dropped());
  EXPECT_EQ(withdrawn.use_count(), 1);
}

TEST(ThreadPool, ItsEndDropsWhatHasNotBegunAndWaitsForTheRest) {
  Blocking running;
  auto pool = Make(1, 10);
  const std::shared_ptr<JobPool> jobs = pool->jobs();
  const auto waiting = std::make_shared<Calling>([] {});
  EXPECT_EQ(jobs->Start(running.job), absl::OkStatus());
  EXPECT_EQ(jobs->Start(waiting), absl::OkStatus());
  WaitUntil([&] { return pool->stats().running == 1; });
  std::thread ender([&] { pool.reset(); });
  WaitUntil([&] {
    return absl::IsUnavailable(jobs->Start(std::make_shared<Calling>([] {})));
  });
  EXPECT_FALSE(running.job->ran());
  running.may_end.release();
  ender.join();
  EXPECT_TRUE(running.job->ran());
  EXPECT_FALSE(waiting->ran());
  EXPECT_TRUE(waiting->dropped());
  EXPECT_EQ(waiting.use_count(), 1);
  EXPECT_EQ(jobs->stats().threads, 0u);
}

TEST(ThreadPool, ThreadsHaveItsNameAndClass) {
  for (const bool idle_class : {false, true}) {
    ThreadPoolOptions options;
    options.name = "ten bytes.";
    options.idle_class = idle_class;
    std::string name(16, '\0');
    int policy = -1;
    const auto pool = *ThreadPool::Create(options);
    const auto job = std::make_shared<Calling>([&] {
      pthread_getname_np(pthread_self(), name.data(), name.size());
      policy = sched_getscheduler(0);
    });
    EXPECT_EQ(pool->jobs()->Start(job), absl::OkStatus());
    WaitUntil([&] { return job->ran(); });
    EXPECT_STREQ(name.c_str(), "ten bytes./0");
    EXPECT_EQ(policy, idle_class ? SCHED_IDLE : SCHED_BATCH);
  }
}

TEST(ThreadPool, AForkedChildRunsNoJobs) {
  Blocking running;
  const auto pool = Make(2, 10);
  EXPECT_EQ(pool->jobs()->Start(running.job), absl::OkStatus());
  WaitUntil([&] { return pool->stats().running == 1; });
  const pid_t child = fork();
  if (child == 0) {
    const absl::Status refused =
        pool->jobs()->Start(std::make_shared<Calling>([] {}));
    _exit(absl::IsFailedPrecondition(refused) ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  running.may_end.release();
}

// Several threads start and withdraw; each job runs once, or was withdrawn.
TEST(ThreadPool, EveryJobEndsInOneWay) {
  constexpr int kStarters = 4;
  constexpr int kJobs = 2'000;
  std::atomic<int> n_run{0}, n_withdrawn{0}, n_refused{0};
  const auto pool = Make(3, 50, absl::ZeroDuration());
  std::vector<std::thread> starters;
  for (uint64_t seed = 0; seed < kStarters; ++seed) {
    starters.emplace_back([&, seed] {
      Rng rng(seed);
      for (int i = 0; i < kJobs; ++i) {
        const auto job = std::make_shared<Calling>([&] { ++n_run; });
        if (!pool->jobs()->Start(job).ok()) {
          ++n_refused;
        } else if (rng.Below(2) == 0 && pool->jobs()->Withdraw(*job)) {
          ++n_withdrawn;
        }
      }
    });
  }
  for (std::thread& starter : starters) starter.join();
  WaitUntil([&] {
    return pool->stats().ended ==
           pool->stats().started - pool->stats().withdrawn;
  });
  EXPECT_EQ(n_run + n_withdrawn + n_refused, kStarters * kJobs);
  EXPECT_EQ(pool->stats().withdrawn, static_cast<uint64_t>(n_withdrawn));
  EXPECT_GT(n_run, 0);
  EXPECT_GT(n_withdrawn, 0);
}

}  // namespace
}  // namespace ringway
