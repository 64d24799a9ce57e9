// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/blocking/run_blocking.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/task_test.h"
#include "ringway/pools/thread_pool.h"

namespace ringway {
namespace {

// What a job and its test share, whoever ends first.
struct Shared {
  std::atomic<int> n_begun{0};
  std::atomic<int> n_ended{0};
  std::counting_semaphore<100'000> may_end{0};
};

class RunBlockingTest : public TaskTest {
 protected:
  // The pool of this test's executor.
  void UsePool(uint32_t max_threads, uint32_t max_queued) {
    ThreadPoolOptions options;
    options.max_threads = max_threads;
    options.max_queued = max_queued;
    pool_ = *ThreadPool::Create(options);
    SetBlockingPool(executor(), pool_->jobs());
  }

  // A call that goes on until it may end.
  static auto Block(std::shared_ptr<Shared> shared) {
    return RunBlocking([shared = std::move(shared)] {
      ++shared->n_begun;
      shared->may_end.acquire();
      ++shared->n_ended;
    });
  }

  static Task<absl::Status> BlockTask(std::shared_ptr<Shared> shared) {
    co_return co_await Block(std::move(shared));
  }

  // Lets other threads go on until `done`.
  template <typename F>
  static Task<void> Until(F done) {
    while (!done()) static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
  }

  std::unique_ptr<ThreadPool> pool_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

int Add(int a, int b) { return a + b; }

absl::StatusOr<std::string> Find(const std::string& key) {
  if (key.empty()) return absl::NotFoundError("no key");
  return absl::StrCat(key, "!");
}

RINGWAY_KERNEL_TEST_F(RunBlockingTest, ResultsOfEachKindComeBack) {
  EXPECT_EQ(*co_await RunBlocking(Add, 1, 2), 3);
  EXPECT_EQ(*co_await RunBlocking(Find, std::string("k")), "k!");
  EXPECT_TRUE(absl::IsNotFound((co_await RunBlocking(Find, "")).status()));
  EXPECT_EQ(co_await RunBlocking([] {}), absl::OkStatus());
  EXPECT_TRUE(absl::IsDataLoss(
      co_await RunBlocking([] { return absl::DataLossError(""); })));
  // What cannot be copied.
  auto number = std::make_unique<int>(7);
  absl::StatusOr<std::unique_ptr<int>> same = co_await RunBlocking(
      [](std::unique_ptr<int> n) { return n; }, std::move(number));
  EXPECT_EQ(**same, 7);
}

RINGWAY_KERNEL_TEST_F(RunBlockingTest, RunsOnAnotherThread) {
  const std::thread::id here = std::this_thread::get_id();
  const absl::StatusOr<std::thread::id> there =
      co_await RunBlocking(&std::this_thread::get_id);
  EXPECT_NE(*there, here);
  EXPECT_EQ(std::this_thread::get_id(), here);
}

RINGWAY_KERNEL_TEST_F(RunBlockingTest, AnExceptionIsTheCallers) {
  std::string what;
  try {
    static_cast<void>(co_await RunBlocking(
        []() -> int { throw std::runtime_error("thrown there"); }));
  } catch (const std::runtime_error& e) {
    what = e.what();
  }
  EXPECT_EQ(what, "thrown there");
}

RINGWAY_KERNEL_TEST_F(RunBlockingTest, TheWorkerGoesOnMeanwhile) {
  UsePool(1, 10);
  JoinHandle<absl::Status> blocked = Spawn(BlockTask(shared_));
  co_await Until([&] { return shared_->n_begun == 1; });
  EXPECT_FALSE(blocked.done());
  shared_->may_end.release();
  EXPECT_EQ(co_await blocked, absl::OkStatus());
  EXPECT_EQ(shared_->n_ended, 1);
}

RINGWAY_KERNEL_TEST_F(RunBlockingTest, ACallThatIsCancelledQueuedNeverRuns) {
  UsePool(1, 10);
  JoinHandle<absl::Status> first = Spawn(BlockTask(shared_));
  co_await Until([&] { return shared_->n_begun == 1; });
  const auto queued = std::make_shared<Shared>();
  JoinHandle<absl::Status> second = Spawn(BlockTask(queued));
  co_await Until([&] { return pool_->stats().queued == 1; });
  second.Cancel();
  EXPECT_TRUE(absl::IsCancelled(co_await second));
  EXPECT_EQ(queued.use_count(), 1) << "its arguments are kept";
  shared_->may_end.release();
  EXPECT_EQ(co_await first, absl::OkStatus());
  EXPECT_EQ(queued->n_begun, 0);
  EXPECT_EQ(pool_->stats().withdrawn, 1u);
}

RINGWAY_KERNEL_TEST_F(RunBlockingTest, TheCallerLeavesACallThatRuns) {
  UsePool(1, 10);
  JoinHandle<absl::Status> running = Spawn(BlockTask(shared_));
  co_await Until([&] { return shared_->n_begun == 1; });
  running.Cancel();
  EXPECT_TRUE(absl::IsCancelled(co_await running));
  EXPECT_EQ(shared_->n_ended, 0);
  shared_->may_end.release();
  co_await Until([&] { return shared_->n_ended == 1; });
  co_await Until([&] { return shared_.use_count() == 1; });
}

RINGWAY_KERNEL_TEST_F(RunBlockingTest, ADeadlineEndsTheWait) {
  UsePool(1, 10);
  const absl::Status late =
      co_await WithTimeout(absl::Milliseconds(5), Block(shared_));
  EXPECT_TRUE(absl::IsDeadlineExceeded(late)) << late;
  shared_->may_end.release();
}

RINGWAY_KERNEL_TEST_F(RunBlockingTest, ACancelledTaskStartsNothing) {
  UsePool(1, 10);
  auto late = [](std::shared_ptr<Shared> shared) -> Task<absl::Status> {
    static_cast<void>(co_await Sleep(absl::Hours(1)));  // until it is cancelled
    co_return co_await Block(std::move(shared));
  };
  JoinHandle<absl::Status> handle = Spawn(late(shared_));
  co_await Until([] { return true; });
  static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
  handle.Cancel();
  EXPECT_TRUE(absl::IsCancelled(co_await handle));
  EXPECT_EQ(pool_->stats().started, 0u);
}

RINGWAY_KERNEL_TEST_F(RunBlockingTest, AFullQueueIsAnError) {
  UsePool(1, 1);
  JoinHandle<absl::Status> first = Spawn(BlockTask(shared_));
  JoinHandle<absl::Status> second = Spawn(BlockTask(shared_));
  co_await Until([&] { return pool_->stats().queued == 1; });
  EXPECT_TRUE(absl::IsResourceExhausted(co_await RunBlocking([] {})));
  shared_->may_end.release(2);
  EXPECT_EQ(co_await first, absl::OkStatus());
  EXPECT_EQ(co_await second, absl::OkStatus());
}

RINGWAY_KERNEL_TEST_F(RunBlockingTest, ThePoolMayEndFirst) {
  UsePool(1, 10);
  JoinHandle<absl::Status> first = Spawn(BlockTask(shared_));
  JoinHandle<absl::Status> second = Spawn(BlockTask(shared_));
  co_await Until([&] { return pool_->stats().queued == 1; });
  std::thread ender([&] { pool_.reset(); });
  // Until it has begun to end: it takes no more calls.
  while (!absl::IsUnavailable(
      co_await WithTimeout(absl::Milliseconds(1), RunBlocking([] {})))) {
  }
  shared_->may_end.release();
  EXPECT_EQ(co_await first, absl::OkStatus());
  EXPECT_TRUE(absl::IsUnavailable(co_await second));
  ender.join();
  EXPECT_TRUE(absl::IsUnavailable(co_await RunBlocking([] {})));
  EXPECT_EQ(shared_->n_begun, 1);
}

// A cancel that comes when the call has ended, but its task has not continued,
// loses nothing.
RINGWAY_KERNEL_TEST_F(RunBlockingTest, AResultThatIsThereIsKept) {
  UsePool(1, 10);
  auto call = []() -> Task<absl::StatusOr<int>> {
    co_return co_await RunBlocking(Add, 3, 4);
  };
  JoinHandle<absl::StatusOr<int>> handle = Spawn(call());
  static_cast<void>(co_await Sleep(absl::ZeroDuration()));
  while (pool_->stats().ended == 0) std::this_thread::yield();
  handle.Cancel();
  EXPECT_EQ(*co_await handle, 7);
}

// Many tasks, each with its own result, some cancelled at any time.
RINGWAY_KERNEL_TEST_F(RunBlockingTest, EachCallHasItsOwnResult) {
  UsePool(4, 100);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    auto call = [](int i) -> Task<absl::StatusOr<int>> {
      co_return co_await RunBlocking([i] { return i * i; });
    };
    std::vector<JoinHandle<absl::StatusOr<int>>> handles;
    for (int i = 0; i < 100; ++i) handles.push_back(Spawn(call(i)));
    for (int i = 0; i < 20; ++i) {
      if (rng.Below(2) == 0)
        static_cast<void>(co_await Sleep(absl::Microseconds(rng.Below(50))));
      handles[rng.Below(handles.size())].Cancel();
    }
    for (int i = 0; i < 100; ++i) {
      const absl::StatusOr<int> result =
          co_await handles[static_cast<size_t>(i)];
      if (result.ok()) {
        EXPECT_EQ(*result, i * i);
      } else {
        EXPECT_TRUE(absl::IsCancelled(result.status())) << result.status();
      }
    }
  }
}

}  // namespace
}  // namespace ringway
