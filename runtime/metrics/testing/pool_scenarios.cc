// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/resolver/system_resolver.h"
#include "ringway/pools/blocking/run_blocking.h"
#include "ringway/pools/job_pool.h"
#include "ringway/pools/resolver/host_resolver.h"
#include "ringway/pools/thread_pool.h"
#include "ringway/runtime/metrics/testing/scenarios.h"
#include "ringway/runtime/testing/runtime_fixture.h"

namespace ringway::moving {
namespace {

using Released = std::shared_future<void>;

Task<absl::Status> WaitOnThePool(Released released) {
  auto wait = [released = std::move(released)] { released.wait(); };
  co_return co_await RunBlocking(std::move(wait));
}

// A job that no task waits for.
class WaitingJob final : public Job {
 public:
  explicit WaitingJob(Released released) : released_(std::move(released)) {}

 private:
  void Run() noexcept override { released_.wait(); }
  void Drop() noexcept override {}

  const Released released_;
};

}  // namespace

// One thread and one place in the queue.
void CallsBlock(WatchedMetrics& watched) {
  ThreadPoolOptions options;
  options.max_threads = 1;
  options.max_queued = 1;
  Runtime::Builder builder = Watched();
  builder.BlockingPool(options);
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.Look(*runtime);

  std::promise<void> release;
  const Released released(release.get_future());
  std::shared_ptr<JobPool> pool;
  BeginOn(*runtime, 0, [&pool]() -> Task<void> {
    pool = BlockingPool();
    co_return;
  }).wait();
  const std::future<void> runs =
      BeginOn(*runtime, 0, [released]() -> Task<void> {
        EXPECT_TRUE((co_await WaitOnThePool(released)).ok());
      });
  for (const char* metric :
       {"ringway_pool_jobs_running", "ringway_pool_threads",
        "ringway_pool_threads_peak", "ringway_pool_jobs_started_total"}) {
    watched.LookUntilMoved(*runtime, metric);
  }
  BeginOn(*runtime, 0, [released]() -> Task<void> {
    const absl::Status left =
        co_await WithTimeout(absl::Milliseconds(1), WaitOnThePool(released));
    EXPECT_TRUE(absl::IsDeadlineExceeded(left)) << left;
  }).wait();
  watched.LookUntilMoved(*runtime, "ringway_pool_jobs_withdrawn_total");
  EXPECT_TRUE(pool->Start(std::make_shared<WaitingJob>(released)).ok());
  for (const char* metric :
       {"ringway_pool_jobs_queued", "ringway_pool_jobs_queued_peak"}) {
    watched.LookUntilMoved(*runtime, metric);
  }
  EXPECT_FALSE(pool->Start(std::make_shared<WaitingJob>(released)).ok());
  watched.LookUntilMoved(*runtime, "ringway_pool_jobs_refused_total");
  release.set_value();
  runs.wait();
  for (const char* metric :
       {"ringway_pool_jobs_ended_total", "ringway_pool_threads_idle",
        "ringway_pool_wait_median_seconds", "ringway_pool_wait_p99_seconds",
        "ringway_pool_wait_longest_seconds"}) {
    watched.LookUntilMoved(*runtime, metric);
  }

  // At the end one runs, which its task has left, and one has not begun.
  while (pool->stats().ended < 2) std::this_thread::yield();
  std::promise<void> release_last;
  const Released last(release_last.get_future());
  BeginOn(*runtime, 0, [last]() -> Task<void> {
    absl::Status left;
    do {  // until it has begun in time
      left = co_await WithTimeout(absl::Milliseconds(20), WaitOnThePool(last));
    } while (BlockingPool()->stats().running == 0);
    EXPECT_TRUE(absl::IsDeadlineExceeded(left)) << left;
  }).wait();
  EXPECT_TRUE(pool->Start(std::make_shared<WaitingJob>(last)).ok());
  runtime->Cut();
  std::thread waiter([&runtime] { runtime->Wait(); });
  watched.LookUntilMoved(*runtime, "ringway_pool_jobs_dropped_total");
  release_last.set_value();
  waiter.join();
}

// What a call shares with its task is then freed by the pool's thread.
void CallsAreLeft(WatchedMetrics& watched) {
  Runtime::Builder builder = Watched();
  builder.BlockingPool(ThreadPoolOptions());
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.Look(*runtime);
  std::promise<void> release;
  const Released released(release.get_future());
  BeginOn(*runtime, 0, [released]() -> Task<void> {
    while (BlockingPool()->stats().running == 0) {
      (co_await WithTimeout(absl::Milliseconds(20), WaitOnThePool(released)))
          .IgnoreError();
    }
  }).wait();
  release.set_value();
  watched.LookUntilMoved(*runtime, "ringway_frames_remote_frees_total");
  End(*runtime);
}

// One look-up at a time.
void HostsAreLookedUp(WatchedMetrics& watched) {
  std::promise<void> release;
  const Released released(release.get_future());
  HostResolverOptions options;
  options.max_threads = 1;
  options.max_queued = 0;
  options.cache_time = absl::InfiniteDuration();
  options.look_up =
      [released](
          const std::string& host) -> absl::StatusOr<std::vector<HostAddress>> {
    released.wait();
    if (host == "none") return absl::NotFoundError("as told");
    return LookUpHost("127.0.0.1");
  };
  Runtime::Builder builder = Watched();
  builder.Resolver(options);
  const std::unique_ptr<Runtime> runtime = LaunchOf(builder);
  watched.Look(*runtime);

  std::vector<std::future<void>> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.push_back(BeginOn(*runtime, 0, []() -> Task<void> {
      EXPECT_TRUE((co_await Resolve("some", 80)).ok());
    }));
  }
  for (const char* metric :
       {"ringway_resolver_lookups_total", "ringway_resolver_lookups_waiting",
        "ringway_resolver_shared_total"}) {
    watched.LookUntilMoved(*runtime, metric);
  }
  BeginOn(*runtime, 0, []() -> Task<void> {
    const absl::Status refused = (co_await Resolve("other", 80)).status();
    EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
    const auto left =
        co_await WithTimeout(absl::Milliseconds(1), Resolve("some", 80));
    EXPECT_TRUE(absl::IsDeadlineExceeded(left.status())) << left.status();
  }).wait();
  for (const char* metric :
       {"ringway_resolver_refused_total", "ringway_resolver_cancelled_total"}) {
    watched.LookUntilMoved(*runtime, metric);
  }
  release.set_value();
  for (std::future<void>& each : waiting) each.wait();
  BeginOn(*runtime, 0, []() -> Task<void> {
    EXPECT_TRUE((co_await Resolve("some", 80)).ok());
    // The only thread may be about to become idle.
    absl::Status none;
    do {
      none = (co_await Resolve("none", 80)).status();
    } while (absl::IsResourceExhausted(none));
    EXPECT_TRUE(absl::IsNotFound(none)) << none;
  }).wait();
  for (const char* metric :
       {"ringway_resolver_cached_hosts", "ringway_resolver_cache_hits_total",
        "ringway_resolver_failures_total"}) {
    watched.LookUntilMoved(*runtime, metric);
  }
  End(*runtime);
}

}  // namespace ringway::moving
