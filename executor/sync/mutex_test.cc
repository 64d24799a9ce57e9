// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/sync/mutex.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

Task<absl::Status> LockAndNote(Mutex* mutex, std::vector<int>* log, int id) {
  const absl::StatusOr<MutexLock> lock = co_await mutex->Lock();
  if (lock.ok()) log->push_back(id);
  co_return lock.status();
}

Task<void> UnlockForThree(std::vector<int>* log) {
  Mutex mutex;
  std::optional<MutexLock> lock = mutex.TryLock();
  JoinHandle<absl::Status> a = Spawn(LockAndNote(&mutex, log, 1));
  JoinHandle<absl::Status> b = Spawn(LockAndNote(&mutex, log, 2));
  JoinHandle<absl::Status> c = Spawn(LockAndNote(&mutex, log, 3));
  co_await Yield();
  EXPECT_TRUE(log->empty());
  lock->Unlock();
  EXPECT_TRUE((co_await a).ok());
  EXPECT_TRUE((co_await b).ok());
  EXPECT_TRUE((co_await c).ok());
  EXPECT_FALSE(mutex.locked());
}

TEST(Mutex, IsHandedOverInTheOrderOfTheCalls) {
  VirtualTimeExecutor executor;
  std::vector<int> log;
  EXPECT_TRUE(executor->Run(UnlockForThree(&log)).ok());
  EXPECT_EQ(log, (std::vector<int>{1, 2, 3}));
}

Task<void> LockAgainWhileAnotherWaits(std::vector<int>* log) {
  Mutex mutex;
  std::optional<MutexLock> lock = mutex.TryLock();
  JoinHandle<absl::Status> other = Spawn(LockAndNote(&mutex, log, 1));
  co_await Yield();
  lock->Unlock();
  EXPECT_TRUE(mutex.locked()) << "handed over, not let go";
  EXPECT_FALSE(mutex.TryLock().has_value());
  const absl::StatusOr<MutexLock> again = co_await mutex.Lock();
  EXPECT_TRUE(again.ok());
  log->push_back(2);
  static_cast<void>(co_await other);
}

TEST(Mutex, WhoUnlocksAndLocksAgainIsBehindThoseWhoWait) {
  VirtualTimeExecutor executor;
  std::vector<int> log;
  EXPECT_TRUE(executor->Run(LockAgainWhileAnotherWaits(&log)).ok());
  EXPECT_EQ(log, (std::vector<int>{1, 2}));
}

Task<void> SleepInside(Mutex* mutex, int* inside, int* most_inside) {
  for (int i = 0; i < 10; ++i) {
    const absl::StatusOr<MutexLock> lock = co_await mutex->Lock();
    *most_inside = std::max(*most_inside, ++*inside);
    static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
    --*inside;
  }
}

Task<void> SleepInsideByFour(int* most_inside) {
  Mutex mutex;
  int inside = 0;
  std::vector<JoinHandle<void>> tasks;
  for (int i = 0; i < 4; ++i)
    tasks.push_back(Spawn(SleepInside(&mutex, &inside, most_inside)));
  for (JoinHandle<void>& task : tasks) static_cast<void>(co_await task);
}

TEST(Mutex, LetsOneTaskInAtATimeAlsoWhileThatSleeps) {
  VirtualTimeExecutor executor;
  int most_inside = 0;
  EXPECT_TRUE(executor->Run(SleepInsideByFour(&most_inside)).ok());
  EXPECT_EQ(most_inside, 1);
}

Task<void> CancelTheMiddleOne(std::vector<int>* log) {
  Mutex mutex;
  std::optional<MutexLock> lock = mutex.TryLock();
  JoinHandle<absl::Status> a = Spawn(LockAndNote(&mutex, log, 1));
  JoinHandle<absl::Status> b = Spawn(LockAndNote(&mutex, log, 2));
  JoinHandle<absl::Status> c = Spawn(LockAndNote(&mutex, log, 3));
  co_await Yield();
  b.Cancel();
  EXPECT_EQ((co_await b).code(), absl::StatusCode::kCancelled);
  lock->Unlock();
  EXPECT_TRUE((co_await a).ok());
  EXPECT_TRUE((co_await c).ok());
}

TEST(Mutex, ACancelledWaiterLeavesTheOthersInLine) {
  VirtualTimeExecutor executor;
  std::vector<int> log;
  EXPECT_TRUE(executor->Run(CancelTheMiddleOne(&log)).ok());
  EXPECT_EQ(log, (std::vector<int>{1, 3}));
}

Task<void> CancelAfterTheHandOver(std::vector<int>* log) {
  Mutex mutex;
  std::optional<MutexLock> lock = mutex.TryLock();
  JoinHandle<absl::Status> heir = Spawn(LockAndNote(&mutex, log, 1));
  co_await Yield();
  lock->Unlock();
  heir.Cancel();
  EXPECT_TRUE((co_await heir).ok());
  EXPECT_FALSE(mutex.locked());
}

TEST(Mutex, ATaskCancelledAfterTheHandOverHoldsItAndUnlocksIt) {
  VirtualTimeExecutor executor;
  std::vector<int> log;
  EXPECT_TRUE(executor->Run(CancelAfterTheHandOver(&log)).ok());
  EXPECT_EQ(log, (std::vector<int>{1}));
}

Task<int> LockUntilCancelled(Mutex* mutex) {
  int n = 0;
  while ((co_await mutex->Lock()).ok()) ++n;
  co_return n;
}

Task<void> CancelALoopOverAFreeMutex() {
  Mutex mutex;
  JoinHandle<int> looping = Spawn(LockUntilCancelled(&mutex));
  co_await Yield();
  looping.Cancel();
  const absl::StatusOr<int> n = co_await looping;
  EXPECT_GT(*n, 0);
  EXPECT_FALSE(mutex.locked());
}

TEST(Mutex, ATaskThatLoopsOverAFreeOneLetsOthersRunAndCanBeCancelled) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelALoopOverAFreeMutex()).ok());
}

TEST(MutexLock, UnlocksOnceWhereverItWasMoved) {
  Mutex mutex;
  MutexLock lock = *mutex.TryLock();
  MutexLock moved = std::move(lock);
  EXPECT_FALSE(lock.held());
  EXPECT_TRUE(moved.held());
  lock.Unlock();
  EXPECT_TRUE(mutex.locked());
  moved = MutexLock();
  EXPECT_FALSE(mutex.locked());
  EXPECT_FALSE(moved.held());
}

TEST(MutexDeathTest, DestroyedWhileHeldDiesWithAMessage) {
  EXPECT_DEATH(
      {
        std::optional<Mutex> mutex(std::in_place);
        const std::optional<MutexLock> lock = mutex->TryLock();
        mutex.reset();
      },
      "Mutex was destroyed while it is held");
}

}  // namespace
}  // namespace ringway
