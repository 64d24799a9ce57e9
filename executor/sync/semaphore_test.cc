// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/sync/semaphore.h"

#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

// Takes `n` permits without releasing them, and records it.
Task<absl::Status> AcquireAndNote(Semaphore* semaphore, size_t n,
                                  std::vector<size_t>* log) {
  absl::StatusOr<SemaphorePermit> permit = co_await semaphore->Acquire(n);
  if (!permit.ok()) co_return permit.status();
  log->push_back(n);
  permit->Forget();
  co_return absl::OkStatus();
}

Task<void> WantManyThenFew(std::vector<size_t>* log) {
  Semaphore semaphore(2);
  JoinHandle<absl::Status> many = Spawn(AcquireAndNote(&semaphore, 5, log));
  JoinHandle<absl::Status> few = Spawn(AcquireAndNote(&semaphore, 1, log));
  co_await Yield();
  EXPECT_TRUE(log->empty());
  EXPECT_EQ(semaphore.available(), 2u);
  EXPECT_FALSE(semaphore.TryAcquire(1).has_value()) << "others wait";
  semaphore.Release(2);
  co_await Yield();
  EXPECT_TRUE(log->empty());
  semaphore.Release(2);
  EXPECT_TRUE((co_await many).ok());
  EXPECT_TRUE((co_await few).ok());
  EXPECT_EQ(semaphore.available(), 0u);
}

TEST(Semaphore, DoesNotLetFewOvertakeMany) {
  VirtualTimeExecutor executor;
  std::vector<size_t> log;
  EXPECT_TRUE(executor->Run(WantManyThenFew(&log)).ok());
  EXPECT_EQ(log, (std::vector<size_t>{5, 1}));
}

Task<void> CancelTheHead(std::vector<size_t>* log) {
  Semaphore semaphore(2);
  JoinHandle<absl::Status> many = Spawn(AcquireAndNote(&semaphore, 5, log));
  JoinHandle<absl::Status> one = Spawn(AcquireAndNote(&semaphore, 1, log));
  JoinHandle<absl::Status> three = Spawn(AcquireAndNote(&semaphore, 3, log));
  co_await Yield();
  many.Cancel();
  EXPECT_EQ((co_await many).code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE((co_await one).ok());
  EXPECT_FALSE(three.done());
  EXPECT_EQ(semaphore.available(), 1u);
  semaphore.Release(2);
  EXPECT_TRUE((co_await three).ok());
}

TEST(Semaphore, CancellingTheHeadLetsTheNextProceed) {
  VirtualTimeExecutor executor;
  std::vector<size_t> log;
  EXPECT_TRUE(executor->Run(CancelTheHead(&log)).ok());
  EXPECT_EQ(log, (std::vector<size_t>{1, 3}));
}

Task<void> ReleaseForSeveral(std::vector<size_t>* log) {
  Semaphore semaphore(0);
  JoinHandle<absl::Status> a = Spawn(AcquireAndNote(&semaphore, 1, log));
  JoinHandle<absl::Status> b = Spawn(AcquireAndNote(&semaphore, 2, log));
  JoinHandle<absl::Status> c = Spawn(AcquireAndNote(&semaphore, 3, log));
  co_await Yield();
  semaphore.Release(4);
  EXPECT_TRUE((co_await a).ok());
  EXPECT_TRUE((co_await b).ok());
  EXPECT_FALSE(c.done());
  semaphore.Release(2);
  EXPECT_TRUE((co_await c).ok());
}

TEST(Semaphore, OneReleaseServesAsManyAsItSuffices) {
  VirtualTimeExecutor executor;
  std::vector<size_t> log;
  EXPECT_TRUE(executor->Run(ReleaseForSeveral(&log)).ok());
  EXPECT_EQ(log, (std::vector<size_t>{1, 2, 3}));
}

Task<void> CancelAfterTheGrant(std::vector<size_t>* log) {
  Semaphore semaphore(0);
  JoinHandle<absl::Status> waiter = Spawn(AcquireAndNote(&semaphore, 2, log));
  co_await Yield();
  semaphore.Release(2);
  waiter.Cancel();
  EXPECT_TRUE((co_await waiter).ok());
  EXPECT_EQ(semaphore.available(), 0u);
}

TEST(Semaphore, ATaskCancelledAfterTheGrantHasItsPermits) {
  VirtualTimeExecutor executor;
  std::vector<size_t> log;
  EXPECT_TRUE(executor->Run(CancelAfterTheGrant(&log)).ok());
  EXPECT_EQ(log, (std::vector<size_t>{2}));
}

Task<void> CloseOnAWaiter(std::vector<size_t>* log) {
  Semaphore semaphore(1);
  std::optional<SemaphorePermit> held = semaphore.TryAcquire();
  JoinHandle<absl::Status> waiter = Spawn(AcquireAndNote(&semaphore, 1, log));
  co_await Yield();
  semaphore.Close();
  EXPECT_EQ((co_await waiter).code(), absl::StatusCode::kUnavailable);
  held.reset();
  EXPECT_EQ(semaphore.available(), 1u);
  const absl::StatusOr<SemaphorePermit> late = co_await semaphore.Acquire();
  EXPECT_EQ(late.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(semaphore.TryAcquire().has_value());
}

TEST(Semaphore, CloseRefusesThoseWhoWaitAndThoseWhoCome) {
  VirtualTimeExecutor executor;
  std::vector<size_t> log;
  EXPECT_TRUE(executor->Run(CloseOnAWaiter(&log)).ok());
  EXPECT_TRUE(log.empty());
}

TEST(Semaphore, TryAcquireTakesWhatIsThereAndNoMore) {
  Semaphore semaphore(3);
  const std::optional<SemaphorePermit> two = semaphore.TryAcquire(2);
  ASSERT_TRUE(two.has_value());
  EXPECT_EQ(two->count(), 2u);
  EXPECT_EQ(semaphore.available(), 1u);
  EXPECT_FALSE(semaphore.TryAcquire(2).has_value());
  EXPECT_EQ(semaphore.available(), 1u);
}

TEST(SemaphorePermit, GivesBackOnceWhereverItWasMoved) {
  Semaphore semaphore(3);
  SemaphorePermit two = *semaphore.TryAcquire(2);
  SemaphorePermit one = *semaphore.TryAcquire(1);
  two = std::move(one);
  EXPECT_EQ(semaphore.available(), 2u);
  EXPECT_EQ(one.count(), 0u);
  one.Release();
  EXPECT_EQ(semaphore.available(), 2u);
  two.Release();
  two.Release();
  EXPECT_EQ(semaphore.available(), 3u);
}

TEST(SemaphorePermit, ForgottenComesBackByRelease) {
  Semaphore semaphore(2);
  semaphore.TryAcquire(2)->Forget();
  EXPECT_EQ(semaphore.available(), 0u);
  semaphore.Release(2);
  EXPECT_EQ(semaphore.available(), 2u);
}

TEST(SemaphoreDeathTest, MisuseDiesWithAMessage) {
  Semaphore full(std::numeric_limits<size_t>::max());
  EXPECT_DEATH(full.Release(), "more permits than can be counted");
  EXPECT_DEATH(static_cast<void>(full.Acquire(0)), "of no permits");
  EXPECT_DEATH(static_cast<void>(full.TryAcquire(0)), "of no permits");
}

}  // namespace
}  // namespace ringway
