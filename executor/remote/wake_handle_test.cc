// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/remote/wake_handle.h"

#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/worker_for_test.h"

namespace ringway {
namespace {

class WakeHandleTest : public ::testing::Test {
 protected:
  WakeHandleTest() : executor_(Make()) {}

  static std::unique_ptr<Executor> Make() {
    ExecutorOptions options;
    options.shutdown_grace = absl::ZeroDuration();
    return *Executor::Create(options);
  }

  template <typename T>
  void Run(Task<T> task) {
    const absl::Status ended = executor_->Run(std::move(task));
    EXPECT_TRUE(ended.ok()) << ended;
  }
  // Lets all other tasks run.
  void TurnABit() {
    for (int i = 0; i < 4; ++i) executor_->Turn(MonotonicTime());
  }

  std::unique_ptr<Executor> executor_;
};

Task<absl::Status> WaitOnce(Waker* waker) { co_return co_await waker->Wait(); }

Task<void> WaitForThread() {
  Waker waker;
  int written = 0;
  std::thread other([&written, wake = waker.handle()] {
    written = 1;
    wake.Wake();
  });
  EXPECT_TRUE((co_await waker.Wait()).ok());
  EXPECT_EQ(written, 1);
  other.join();
}

TEST_F(WakeHandleTest, AnotherThreadWakesTheTask) { Run(WaitForThread()); }

Task<void> WakeThenWait() {
  Waker waker;
  waker.handle().Wake();
  co_await Yield();
  EXPECT_TRUE((co_await waker.Wait()).ok());
}

TEST_F(WakeHandleTest, WakeBeforeTheWaitIsKept) { Run(WakeThenWait()); }

Task<void> MakeWaker(std::unique_ptr<Waker>* waker) {
  *waker = std::make_unique<Waker>();
  co_return;
}

TEST_F(WakeHandleTest, AnyNumberOfWakesEndOneWaitAndAreOneMessage) {
  std::unique_ptr<Waker> waker;
  Run(MakeWaker(&waker));
  JoinHandle<absl::Status> first = executor_->Spawn(WaitOnce(waker.get()));
  TurnABit();
  const uint64_t messages = executor_->stats().loop.messages;

  std::thread([wake = waker->handle()] {
    for (int i = 0; i < 100; ++i) wake.Wake();
  }).join();
  TurnABit();

  ASSERT_TRUE(first.done());
  EXPECT_TRUE(first.TakeResult().ok());
  EXPECT_EQ(executor_->stats().loop.messages - messages, 1u);
  EXPECT_EQ(executor_->stats().loop.backend.notifications, 0u)
      << "no doorbell while the loop is awake";
  JoinHandle<absl::Status> second = executor_->Spawn(WaitOnce(waker.get()));
  TurnABit();
  EXPECT_FALSE(second.done());
  second.Detach();
  executor_.reset();
}

TEST_F(WakeHandleTest, SleepingExecutorIsRungForOnceHoweverManyWake) {
  std::unique_ptr<Waker> waker;
  Run(MakeWaker(&waker));
  JoinHandle<absl::Status> waiting = executor_->Spawn(WaitOnce(waker.get()));
  TurnABit();
  const std::shared_ptr<Inbox> inbox = executor_->loop().inbox();
  ASSERT_TRUE(inbox->FallAsleep());

  std::thread([wake = waker->handle()] {
    for (int i = 0; i < 100; ++i) wake.Wake();
  }).join();
  inbox->WokeUp();
  TurnABit();

  EXPECT_TRUE(waiting.TakeResult().ok());
  EXPECT_EQ(executor_->stats().loop.backend.notifications, 1u);
}

TEST_F(WakeHandleTest, CancelEndsTheWaitAndLeavesNoTrace) {
  std::unique_ptr<Waker> waker;
  Run(MakeWaker(&waker));
  JoinHandle<absl::Status> waiting = executor_->Spawn(WaitOnce(waker.get()));
  TurnABit();

  waiting.Cancel();
  TurnABit();

  ASSERT_TRUE(waiting.done());
  EXPECT_TRUE(absl::IsCancelled(waiting.TakeResult()));
  JoinHandle<absl::Status> next = executor_->Spawn(WaitOnce(waker.get()));
  TurnABit();
  EXPECT_FALSE(next.done());
  waker->handle().Wake();
  TurnABit();
  EXPECT_TRUE(next.TakeResult().ok());
}

Task<absl::Status> WaitWhenCancelled(Waker* waker) {
  Executor::Current()->current_task()->RequestCancel();
  co_return co_await waker->Wait();
}

TEST_F(WakeHandleTest, CancelledTaskLeavesTheWakeForTheNext) {
  std::unique_ptr<Waker> waker;
  Run(MakeWaker(&waker));
  waker->handle().Wake();
  JoinHandle<absl::Status> cancelled =
      executor_->Spawn(WaitWhenCancelled(waker.get()));
  TurnABit();
  EXPECT_TRUE(absl::IsCancelled(cancelled.TakeResult()));

  JoinHandle<absl::Status> next = executor_->Spawn(WaitOnce(waker.get()));
  TurnABit();

  EXPECT_TRUE(next.TakeResult().ok());
}

TEST_F(WakeHandleTest, HandleOutlivesTheWakerAndTheExecutor) {
  std::unique_ptr<Waker> waker;
  Run(MakeWaker(&waker));
  const WakeHandle wake = waker->handle();
  wake.Wake();  // refused with the rest when the executor ends
  executor_.reset();
  wake.Wake();
  waker.reset();
  wake.Wake();
  WakeHandle().Wake();
}

TEST_F(WakeHandleTest, WakesRaceTheEndOfTheExecutor) {
  for (int round = 0; round < 200; ++round) {
    executor_ = Make();
    std::unique_ptr<Waker> waker;
    Run(MakeWaker(&waker));
    executor_->Spawn(WaitOnce(waker.get())).Detach();
    std::atomic<bool> stop{false};
    std::thread other([&stop, wake = waker->handle()] {
      while (!stop) wake.Wake();
    });
    for (int i = 0; i < round % 8; ++i) executor_->Turn(MonotonicTime());
    executor_.reset();
    waker.reset();
    stop = true;
    other.join();
  }
}

Task<void> WaitTwiceAtOnce() {
  Waker waker;
  JoinHandle<absl::Status> other = Spawn(WaitOnce(&waker));
  co_await Yield();
  (co_await waker.Wait()).IgnoreError();
}

void WaitTwice() {
  auto executor = *Executor::Create();
  executor->Run(WaitTwiceAtOnce()).IgnoreError();
}

TEST(WakerDeathTest, TwoTasksCannotWaitForOneWaker) {
  EXPECT_DEATH(WaitTwice(), "two tasks wait for one Waker");
}

Task<void> WaitForAnother(Waker* waker) {
  (co_await waker->Wait()).IgnoreError();
}

void WaitElsewhere() {
  auto one = *Executor::Create(), other = *Executor::Create();
  std::unique_ptr<Waker> waker;
  one->Run(MakeWaker(&waker)).IgnoreError();
  other->Run(WaitForAnother(waker.get())).IgnoreError();
}

TEST(WakerDeathTest, WaitsInItsOwnExecutorOnly) {
  EXPECT_DEATH(WaitElsewhere(),
               "a Waker was awaited by a task of another executor");
}

Task<void> DestroyAnAwaitedWaker() {
  auto waker = std::make_unique<Waker>();
  Spawn(WaitForAnother(waker.get())).Detach();
  co_await Yield();
  waker.reset();
}

TEST(WakerDeathTest, IsNotDestroyedWhileATaskWaitsForIt) {
  EXPECT_DEATH(
      (*Executor::Create())->Run(DestroyAnAwaitedWaker()).IgnoreError(),
      "a Waker was destroyed while a task waits for it");
}

void UseElsewhere(void (*use)(std::unique_ptr<Waker>&)) {
  auto executor = *Executor::Create();
  std::unique_ptr<Waker> waker;
  executor->Run(MakeWaker(&waker)).IgnoreError();
  std::thread([&] { use(waker); }).join();
}

TEST(WakerDeathTest, NamesTheWakerThatAForeignThreadUses) {
  constexpr char kMessage[] = "a Waker was used from a foreign thread";
  EXPECT_DEATH(
      UseElsewhere([](auto& waker) { static_cast<void>(waker->Wait()); }),
      kMessage);
  EXPECT_DEATH(UseElsewhere([](auto& waker) { waker.reset(); }), kMessage);
  UseElsewhere([](auto& waker) { waker->handle().Wake(); });
}

Task<absl::Status> WaitForEnded(Waker* waker) {
  co_return co_await waker->Wait();
}

// It identified its executor by address: a new executor at the same address
// passed for the old one, and a task waited forever.
TEST(Waker, MayOutliveItsExecutorAndItsThread) {
  std::unique_ptr<Waker> waker, other;
  {
    auto executor = *Executor::Create();
    EXPECT_TRUE(executor->Run(MakeWaker(&waker)).ok());
  }
  std::thread([&] {
    auto executor = *Executor::Create();
    EXPECT_TRUE(executor->Run(MakeWaker(&other)).ok());
  }).join();
  other->handle().Wake();
  auto executor = *Executor::Create();
  for (Waker* each : {waker.get(), other.get()}) {
    const absl::Status waited = executor->Run(WaitForEnded(each));
    EXPECT_EQ(waited.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(waited.message(), "the loop of the Waker has ended");
  }
}

TEST(WakerDeathTest, NeedsARunningExecutor) {
  EXPECT_DEATH(Waker(), "outside of a running executor");
}

// --- ExecutorHandle

TEST(ExecutorHandle, PostsToTheExecutorItNames) {
  testing::WorkerForTest worker;
  const ExecutorHandle& handle = worker.handle();
  std::promise<ExecutorHandle> where;

  const absl::Status posted =
      handle.Post([&where] { where.set_value(ExecutorHandle::Current()); });

  EXPECT_TRUE(posted.ok()) << posted;
  EXPECT_EQ(where.get_future().get(), handle);
}

TEST(ExecutorHandle, RefusesWhenItsExecutorHasEndedAndWhenEmpty) {
  testing::WorkerForTest worker;
  worker.Stop();
  EXPECT_TRUE(absl::IsUnavailable(worker.handle().Post([] {})));
  EXPECT_TRUE(absl::IsUnavailable(ExecutorHandle().Post([] {})));
}

}  // namespace
}  // namespace ringway
