// SPDX-License-Identifier: Apache-2.0
//
// A loop never waits for a pool's thread. The kernel may preempt such a thread
// at any point, and not let it run for long, least of all one of the idle
// class. Here it is stopped at each schedule point in turn, those with the
// pool's mutex held among them, while another thread uses the pool as a loop
// does.

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <semaphore>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/testing/schedule_hook.h"
#include "ringway/pools/job_pool.h"
#include "ringway/pools/thread_pool.h"

namespace ringway {
namespace {

// Counts down at the pool's schedule points, and stops the thread at 0.
std::atomic<int> points_left{-1};
std::binary_semaphore stopped{0};
std::binary_semaphore go_on{0};

void StopPoolThread() {
  char name[16] = "";
  pthread_getname_np(pthread_self(), name, sizeof(name));
  if (!std::string_view(name).starts_with("victim/")) return;
  if (points_left.fetch_sub(1) != 0) return;
  stopped.release();
  go_on.acquire();
}

class CountingJob : public Job {
 public:
  int n_run() const { return n_run_; }
  int n_dropped() const { return n_dropped_; }

 private:
  void Run() noexcept override { ++n_run_; }
  void Drop() noexcept override { ++n_dropped_; }

  std::atomic<int> n_run_{0};
  std::atomic<int> n_dropped_{0};
};

std::unique_ptr<ThreadPool> MakeVictim() {
  ThreadPoolOptions options;
  options.name = "victim";
  options.max_threads = 1;
  options.max_queued = 3;
  return *ThreadPool::Create(options);
}

// What a loop does.
void UsePool(JobPool& pool, const std::shared_ptr<CountingJob>& kept,
             const std::shared_ptr<CountingJob>& withdrawn) {
  EXPECT_TRUE(pool.Start(withdrawn).ok());
  EXPECT_TRUE(pool.Withdraw(*withdrawn));
  EXPECT_TRUE(pool.Start(kept).ok());
  EXPECT_GE(pool.stats().started, 3u);
  absl::Status refused;
  for (int i = 0; i < 4; ++i)
    refused.Update(pool.Start(std::make_shared<CountingJob>()));
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
}

// False if a thread that runs a job passes fewer points.
bool StopAtPoint(int point) {
  SCOPED_TRACE(point);
  auto pool = MakeVictim();
  const std::shared_ptr<JobPool> jobs = pool->jobs();
  const auto first = std::make_shared<CountingJob>();
  const auto kept = std::make_shared<CountingJob>();
  const auto withdrawn = std::make_shared<CountingJob>();
  points_left = point;
  EXPECT_TRUE(jobs->Start(first).ok());
  while (points_left >= 0 && jobs->stats().ended == 0)
    std::this_thread::yield();
  if (points_left.exchange(-1) >= 0) return false;
  stopped.acquire();
  std::future<void> used =
      std::async(std::launch::async, [&] { UsePool(*jobs, kept, withdrawn); });
  EXPECT_EQ(used.wait_for(std::chrono::seconds(20)), std::future_status::ready)
      << "the loop waits for the thread";
  go_on.release();
  used.wait();
  while (jobs->stats().queued > 0 || jobs->stats().running > 0)
    std::this_thread::yield();
  pool.reset();
  EXPECT_EQ(first->n_run(), 1);
  EXPECT_EQ(kept->n_run(), 1);
  EXPECT_EQ(withdrawn->n_run() + withdrawn->n_dropped(), 0);
  EXPECT_EQ(withdrawn.use_count(), 1);
  return true;
}

TEST(StoppedThread, StopsNobodyElse) {
  internal::SetScheduleHook(&StopPoolThread);
  int n_points = 0;
  while (StopAtPoint(n_points)) ++n_points;
  internal::SetScheduleHook(nullptr);
  EXPECT_GE(n_points, 3) << "the pool has schedule points";
}

}  // namespace
}  // namespace ringway
