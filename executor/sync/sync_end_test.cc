// SPDX-License-Identifier: Apache-2.0
//
// Waiting tasks when the executor, the primitive or the thread ends, or is
// the wrong one.

#include <iterator>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/sync/barrier.h"
#include "ringway/executor/sync/channel.h"
#include "ringway/executor/sync/mutex.h"
#include "ringway/executor/sync/notify.h"
#include "ringway/executor/sync/oneshot.h"
#include "ringway/executor/sync/semaphore.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

// One of each primitive, on which all waits block.
struct OneOfEach {
  Semaphore semaphore{0};
  Channel<int> empty{0};
  Channel<int> full{0};
  Barrier barrier{2};
  Notify notify;
  Oneshot<int> oneshot;
};

Task<void> WaitForSemaphore(OneOfEach* all) {
  Shield shield;
  static_cast<void>(co_await all->semaphore.Acquire());
}
Task<void> WaitToReceive(OneOfEach* all) {
  Shield shield;
  static_cast<void>(co_await all->empty.Receive());
}
Task<void> WaitToSend(OneOfEach* all) {
  Shield shield;
  static_cast<void>(co_await all->full.Send(1));
}
Task<void> WaitAtBarrier(OneOfEach* all) {
  Shield shield;
  static_cast<void>(co_await all->barrier.Arrive());
}
Task<void> WaitForNotify(OneOfEach* all) {
  Shield shield;
  static_cast<void>(co_await all->notify.Wait());
}
Task<void> WaitForOneshot(OneOfEach* all) {
  Shield shield;
  static_cast<void>(co_await all->oneshot.receiver.Receive());
}
Task<void> WaitUntilOneshotClosed(OneOfEach* all) {
  Shield shield;
  static_cast<void>(co_await all->oneshot.sender.Closed());
}

using Wait = Task<void> (*)(OneOfEach*);
constexpr Wait kWaits[] = {WaitForSemaphore,      WaitToReceive, WaitToSend,
                           WaitAtBarrier,         WaitForNotify, WaitForOneshot,
                           WaitUntilOneshotClosed};

ExecutorOptions WithoutGrace() {
  ExecutorOptions options;
  options.shutdown_grace = absl::ZeroDuration();
  return options;
}

Task<void> SpawnOnAll(OneOfEach* all) {
  for (const Wait wait : kWaits) Spawn(wait(all)).Detach();
  co_await Yield();
}

TEST(SyncEnd, FramesAreDestroyedWhereTheyWaitAndLeaveTheLine) {
  OneOfEach all;
  {
    VirtualTimeExecutor executor(WithoutGrace());
    EXPECT_TRUE(executor->Run(SpawnOnAll(&all)).ok());
    EXPECT_EQ(all.barrier.n_waiting(), 1u);
  }
  EXPECT_EQ(all.barrier.n_waiting(), 0u);
  all.semaphore.Release();
  EXPECT_EQ(all.semaphore.available(), 1u);
  EXPECT_EQ(all.empty.TrySend(1).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(all.full.TryReceive().status().code(), absl::StatusCode::kNotFound);
}

Task<void> OwnWhatOthersWaitFor(bool* parked) {
  OneOfEach all;
  co_await SpawnOnAll(&all);
  *parked = true;
  Shield shield;
  static_cast<void>(co_await Sleep(absl::InfiniteDuration()));
}

Task<void> SpawnOwner(bool* parked) {
  Spawn(OwnWhatOthersWaitFor(parked)).Detach();
  while (!*parked) co_await Yield();
}

TEST(SyncEnd, APrimitiveMayGoBeforeTheFramesThatWaitedForIt) {
  VirtualTimeExecutor executor(WithoutGrace());
  bool parked = false;
  EXPECT_TRUE(executor->Run(SpawnOwner(&parked)).ok());
}

Task<void> LockShielded(Mutex* mutex) {
  Shield shield;
  const absl::StatusOr<MutexLock> lock = co_await mutex->Lock();
  static_cast<void>(co_await Sleep(absl::InfiniteDuration()));
}

Task<void> UnlockForOneThatDoesNotRun(Mutex* mutex) {
  std::optional<MutexLock> lock = mutex->TryLock();
  Spawn(LockShielded(mutex)).Detach();
  co_await Yield();
  lock->Unlock();
}

// The mutex was handed over before the end; its new holder never runs.
TEST(SyncEnd, WhatWasHandedToATaskThatNeverRunsComesBack) {
  Mutex mutex;
  {
    ExecutorOptions options = WithoutGrace();
    options.loop.ready_budget = 1;
    VirtualTimeExecutor executor(options);
    EXPECT_TRUE(executor->Run(UnlockForOneThatDoesNotRun(&mutex)).ok());
    EXPECT_TRUE(mutex.locked());
  }
  EXPECT_FALSE(mutex.locked());
}

Task<void> OwnAMutexThatAnotherHolds(bool* locked) {
  Mutex mutex;
  Spawn(LockShielded(&mutex)).Detach();
  Spawn(LockShielded(&mutex)).Detach();
  co_await Yield();
  *locked = mutex.locked();
  Shield shield;
  static_cast<void>(co_await Sleep(absl::InfiniteDuration()));
}

Task<void> SpawnMutexOwner(bool* locked) {
  Spawn(OwnAMutexThatAnotherHolds(locked)).Detach();
  while (!*locked) co_await Yield();
}

TEST(SyncEnd, AMutexMayGoBeforeTheFrameThatHoldsIt) {
  VirtualTimeExecutor executor(WithoutGrace());
  bool locked = false;
  EXPECT_TRUE(executor->Run(SpawnMutexOwner(&locked)).ok());
}

Task<void> DestroyWhileOneWaits(Wait wait) {
  auto all = std::make_unique<OneOfEach>();
  JoinHandle<void> waiter = Spawn(wait(all.get()));
  co_await Yield();
  all.reset();
}

class SyncDeathTest : public testing::TestWithParam<Wait> {};

TEST_P(SyncDeathTest, DestroyedWhileATaskWaitsDiesWithAMessage) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        static_cast<void>(executor->Run(DestroyWhileOneWaits(GetParam())));
      },
      "was (destroyed|moved or dropped) while a task (waits for|awaits) it");
}

// Without the last: the receiver is destroyed first and closes the sender.
INSTANTIATE_TEST_SUITE_P(Primitives, SyncDeathTest,
                         testing::ValuesIn(std::begin(kWaits),
                                           std::end(kWaits) - 1));

Task<void> DropAnAwaitedSender() {
  Oneshot<int> oneshot;
  OneOfEach all;
  all.oneshot.sender = std::move(oneshot.sender);
  JoinHandle<void> waiter = Spawn(WaitUntilOneshotClosed(&all));
  co_await Yield();
  all.oneshot.sender = OneshotSender<int>();
}

TEST(SyncEndDeathTest, DroppingAnAwaitedSenderDiesWithAMessage) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        static_cast<void>(executor->Run(DropAnAwaitedSender()));
      },
      "moved or dropped while a task awaits its Closed");
}

Task<void> CloseOnAnotherThread() {
  OneOfEach all;
  JoinHandle<void> waiter = Spawn(WaitToReceive(&all));
  co_await Yield();
  std::thread([&all] { all.empty.Close(); }).join();
}

TEST(SyncEndDeathTest, WakingATaskOnAnotherThreadDiesWithAMessage) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        static_cast<void>(executor->Run(CloseOnAnotherThread()));
      },
      "a Channel was used from a foreign thread");
}

}  // namespace
}  // namespace ringway
