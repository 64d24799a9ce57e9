// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/blocking/run_blocking_each.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <semaphore>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/pools/blocking/blocking_pool.h"
#include "ringway/pools/thread_pool.h"

namespace ringway {
namespace {

class RunBlockingEachTest : public TaskTest {
 protected:
  void UsePool(uint32_t max_threads, uint32_t max_queued) {
    ThreadPoolOptions options;
    options.max_threads = max_threads;
    options.max_queued = max_queued;
    pool_ = *ThreadPool::Create(options);
    SetBlockingPool(executor(), pool_->jobs());
  }

  static std::vector<int> Numbers(int n) {
    std::vector<int> numbers(static_cast<size_t>(n));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
  }

  std::unique_ptr<ThreadPool> pool_;
};

RINGWAY_KERNEL_TEST_F(RunBlockingEachTest, CallsItOnceForEachElement) {
  UsePool(4, 100);
  for (const int n : {0, 1, 3, 4, 5, 10'000}) {
    auto counts =
        std::make_shared<std::vector<std::atomic<int>>>(static_cast<size_t>(n));
    Task<absl::Status> each = RunBlockingEach(
        Numbers(n), [counts](int i) { ++(*counts)[static_cast<size_t>(i)]; });
    EXPECT_EQ(co_await std::move(each), absl::OkStatus());
    for (const std::atomic<int>& count : *counts) EXPECT_EQ(count, 1);
  }
}

RINGWAY_KERNEL_TEST_F(RunBlockingEachTest, SeveralThreadsTakePart) {
  UsePool(4, 100);
  // Each waits for the others.
  struct Meeting {
    std::atomic<int> n_there{0};
  };
  auto meeting = std::make_shared<Meeting>();
  Task<absl::Status> each = RunBlockingEach(
      Numbers(3),
      [meeting](int) {
        ++meeting->n_there;
        while (meeting->n_there < 3) std::this_thread::yield();
      },
      /*max_threads=*/3);
  EXPECT_EQ(co_await std::move(each), absl::OkStatus());
  EXPECT_LE(pool_->stats().started, 3u);
}

RINGWAY_KERNEL_TEST_F(RunBlockingEachTest, AnExceptionEndsIt) {
  UsePool(2, 100);
  auto n_called = std::make_shared<std::atomic<int>>(0);
  std::string what;
  try {
    Task<absl::Status> each = RunBlockingEach(
        Numbers(100),
        [n_called](int i) {
          ++*n_called;
          if (i == 10) throw std::runtime_error("ten");
        },
        /*max_threads=*/1);
    static_cast<void>(co_await std::move(each));
  } catch (const std::runtime_error& e) {
    what = e.what();
  }
  EXPECT_EQ(what, "ten");
  EXPECT_EQ(*n_called, 11);
}

RINGWAY_KERNEL_TEST_F(RunBlockingEachTest, ACancelLeavesTheRestOut) {
  UsePool(2, 100);
  struct Shared {
    std::atomic<int> n_called{0};
    std::counting_semaphore<1'000> may_go_on{0};
  };
  auto shared = std::make_shared<Shared>();
  JoinHandle<absl::Status> each =
      Spawn(RunBlockingEach(Numbers(1'000), [shared](int) {
        ++shared->n_called;
        shared->may_go_on.acquire();
      }));
  while (shared->n_called < 2)
    static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
  each.Cancel();
  EXPECT_TRUE(absl::IsCancelled(co_await each));
  shared->may_go_on.release(2);
  while (shared.use_count() > 1)
    static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
  EXPECT_EQ(shared->n_called, 2);
}

// One job would do: that there is no room for more is no error.
RINGWAY_KERNEL_TEST_F(RunBlockingEachTest, TakesTheThreadsThatItGets) {
  UsePool(1, 1);
  auto n_called = std::make_shared<std::atomic<int>>(0);
  auto add = [n_called](int) { ++*n_called; };
  Task<absl::Status> each = RunBlockingEach(Numbers(100), add);
  EXPECT_EQ(co_await std::move(each), absl::OkStatus());
  EXPECT_EQ(*n_called, 100);
  pool_.reset();
  Task<absl::Status> late = RunBlockingEach(Numbers(100), add);
  EXPECT_TRUE(absl::IsUnavailable(co_await std::move(late)));
}

}  // namespace
}  // namespace ringway
