// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/sync/barrier.h"

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

Task<absl::StatusOr<bool>> Arrive(Barrier* barrier) {
  co_return co_await barrier->Arrive();
}

Task<void> ArriveByThree() {
  Barrier barrier(3);
  JoinHandle<absl::StatusOr<bool>> a = Spawn(Arrive(&barrier));
  JoinHandle<absl::StatusOr<bool>> b = Spawn(Arrive(&barrier));
  co_await Yield();
  EXPECT_EQ(barrier.n_waiting(), 2u);
  EXPECT_FALSE(a.done());
  const absl::StatusOr<bool> last = co_await barrier.Arrive();
  EXPECT_TRUE(*last);
  EXPECT_FALSE(*co_await a);
  EXPECT_FALSE(*co_await b);
  EXPECT_EQ(barrier.n_waiting(), 0u);
}

TEST(Barrier, HoldsAllUntilTheLastHasCome) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(ArriveByThree()).ok());
}

Task<void> CountRounds(Barrier* barrier, std::vector<int>* rounds, size_t id) {
  for (int i = 0; i < 100; ++i) {
    const absl::StatusOr<bool> last = co_await barrier->Arrive();
    EXPECT_TRUE(last.ok());
    ++(*rounds)[id];
    for (const int other : *rounds) EXPECT_LE((*rounds)[id] - other, 1);
  }
}

Task<void> CountRoundsByFour() {
  Barrier barrier(4);
  std::vector<int> rounds(4);
  std::vector<JoinHandle<void>> tasks;
  for (size_t i = 0; i < rounds.size(); ++i)
    tasks.push_back(Spawn(CountRounds(&barrier, &rounds, i)));
  for (JoinHandle<void>& task : tasks) static_cast<void>(co_await task);
  EXPECT_EQ(rounds, std::vector<int>(4, 100));
}

TEST(Barrier, ServesRoundAfterRoundAndNobodyRunsAhead) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CountRoundsByFour()).ok());
}

Task<void> CancelOneOfTwo() {
  Barrier barrier(3);
  JoinHandle<absl::StatusOr<bool>> stays = Spawn(Arrive(&barrier));
  JoinHandle<absl::StatusOr<bool>> leaves = Spawn(Arrive(&barrier));
  co_await Yield();
  leaves.Cancel();
  EXPECT_EQ(barrier.n_waiting(), 1u);
  const absl::StatusOr<bool> left = co_await leaves;
  EXPECT_EQ(left.status().code(), absl::StatusCode::kCancelled);
  JoinHandle<absl::StatusOr<bool>> second = Spawn(Arrive(&barrier));
  co_await Yield();
  EXPECT_FALSE(stays.done());
  EXPECT_TRUE(*co_await barrier.Arrive());
  EXPECT_FALSE(*co_await stays);
  EXPECT_FALSE(*co_await second);
}

TEST(Barrier, ACancelledPartyHasNotArrived) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelOneOfTwo()).ok());
}

Task<void> CancelAfterTheLast() {
  Barrier barrier(2);
  JoinHandle<absl::StatusOr<bool>> first = Spawn(Arrive(&barrier));
  co_await Yield();
  EXPECT_TRUE(*co_await barrier.Arrive());
  first.Cancel();
  EXPECT_FALSE(*co_await first);
  EXPECT_EQ(barrier.n_waiting(), 0u);
}

TEST(Barrier, ACancelAfterTheLastHasComeIsTooLate) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelAfterTheLast()).ok());
}

Task<void> DestroyRightAfterTheLast() {
  auto barrier = std::make_unique<Barrier>(2);
  JoinHandle<absl::StatusOr<bool>> first = Spawn(Arrive(barrier.get()));
  co_await Yield();
  EXPECT_TRUE(*co_await barrier->Arrive());
  barrier.reset();
  EXPECT_FALSE(*co_await first);
}

TEST(Barrier, MayBeGoneWhenThoseWhoWaitedGoOn) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(DestroyRightAfterTheLast()).ok());
}

TEST(BarrierDeathTest, OfNobodyDiesWithAMessage) {
  EXPECT_DEATH(Barrier(0), "at least one party");
}

}  // namespace
}  // namespace ringway
