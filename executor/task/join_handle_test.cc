// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/join_handle.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using absl::StatusCode;

Task<int> Give(int value) { co_return value; }

// --- Who gets the result.

Task<int> JoinOne() {
  JoinHandle<int> handle = Spawn(GiveAfter(absl::Seconds(1), 42));
  EXPECT_TRUE(handle.valid());
  EXPECT_FALSE(handle.done());
  const absl::StatusOr<int> result = co_await handle;
  EXPECT_FALSE(handle.valid());
  EXPECT_TRUE(handle.done());
  co_return *result;
}

TEST(JoinHandle, GivesTheResultAndIsEmptyThen) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(JoinOne()), 42);
}

Task<void> JoinTwice() {
  JoinHandle<int> handle = Spawn(Give(1));
  static_cast<void>(co_await handle);
  const absl::StatusOr<int> again = co_await handle;
  EXPECT_EQ(again.status().code(), StatusCode::kFailedPrecondition);
}

TEST(JoinHandle, GivesTheResultOnlyOnce) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(JoinTwice()).ok());
}

Task<void> JoinMovedFrom() {
  JoinHandle<int> handle = Spawn(Give(5));
  JoinHandle<int> owner = std::move(handle);
  const absl::StatusOr<int> nothing = co_await handle;
  EXPECT_EQ(nothing.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(handle.spawn_status().ok());
  handle = std::move(owner);
  const absl::StatusOr<int> result = co_await handle;
  EXPECT_EQ(*result, 5);
}

TEST(JoinHandle, ThatWasMovedFromIsEmpty) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(JoinMovedFrom()).ok());
}

// The first owner gives up when it is cancelled and passes the handle on.
Task<absl::StatusOr<int>> JoinGiven(JoinHandle<int>* handle) {
  co_return co_await *handle;
}

Task<void> JoinInTurn() {
  JoinHandle<int> target = Spawn(GiveAfter(absl::Seconds(1), 7));
  JoinHandle<absl::StatusOr<int>> first = Spawn(JoinGiven(&target));
  static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
  first.Cancel();
  const absl::StatusOr<int> gave_up = co_await first;
  EXPECT_EQ(gave_up.status().code(), StatusCode::kCancelled);
  EXPECT_TRUE(target.valid());
  EXPECT_FALSE(target.done());

  JoinHandle<absl::StatusOr<int>> second = Spawn(JoinGiven(&target));
  const absl::StatusOr<int> result = co_await second;
  EXPECT_EQ(*result, 7);
}

TEST(JoinHandle, CanBeAwaitedByASecondOwnerAfterTheFirstWasCancelled) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(JoinInTurn()).ok());
}

Task<int> JoinMoved(JoinHandle<int> handle) {
  const absl::StatusOr<int> result = co_await handle;
  co_return *result;
}

Task<int> HandOver() {
  JoinHandle<int> handle = Spawn(GiveAfter(absl::Seconds(1), 8));
  static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
  JoinHandle<int> other = Spawn(JoinMoved(std::move(handle)));
  const absl::StatusOr<int> result = co_await other;
  co_return *result;
}

TEST(JoinHandle, CanBeHandedToAnotherTask) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(HandOver()), 8);
}

Task<absl::Status> DropAndWait() {
  Event ended;
  {
    JoinHandle<void> dropped = Spawn(SetAfter(absl::Seconds(1), &ended));
    static_cast<void>(co_await Yield());
  }
  co_return co_await ended.Wait();
}

TEST(JoinHandle, WhenDroppedLetsTheTaskRunOn) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(DropAndWait()).ok());
  EXPECT_EQ(executor->stats().tasks_alive, 0u);
}

Task<std::shared_ptr<int>> GiveShared(std::shared_ptr<int> value) {
  co_return value;
}

Task<void> DropFinished(std::shared_ptr<int> value) {
  JoinHandle<std::shared_ptr<int>> handle = Spawn(GiveShared(value));
  co_await Yield();
  EXPECT_TRUE(handle.done());
  EXPECT_EQ(value.use_count(), 3);  // the third is the result
  handle.Detach();
  EXPECT_EQ(value.use_count(), 2);
  EXPECT_FALSE(handle.valid());
}

TEST(JoinHandle, WhenDroppedAfterTheEndDestroysTheResult) {
  VirtualTimeExecutor executor;
  auto value = std::make_shared<int>(1);
  EXPECT_TRUE(executor->Run(DropFinished(value)).ok());
  EXPECT_EQ(value.use_count(), 1);
}

Task<void> TakeWithoutWaiting() {
  JoinHandle<int> handle = Spawn(Give(3));
  const absl::StatusOr<int> early = handle.TakeResult();
  EXPECT_EQ(early.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(handle.valid());
  co_await Yield();
  const absl::StatusOr<int> result = handle.TakeResult();
  EXPECT_EQ(*result, 3);
}

TEST(JoinHandle, AskedForItsResultTooEarlyStaysTheOwner) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(TakeWithoutWaiting()).ok());
}

Task<void> WaitThenTake() {
  JoinHandle<int> handle = Spawn(GiveAfter(absl::Seconds(1), 9));
  const absl::Status ended = co_await handle.Wait();
  EXPECT_TRUE(ended.ok());
  EXPECT_TRUE(handle.done());
  const absl::StatusOr<int> result = co_await handle;
  EXPECT_EQ(*result, 9);
}

TEST(JoinHandle, CanBeWaitedForWithoutTakingTheResult) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(WaitThenTake()).ok());
}

Task<void> GiveNothing() { co_return; }
Task<absl::Status> GiveStatus() { co_return absl::NotFoundError("x"); }
Task<absl::StatusOr<int>> GiveStatusOr() { co_return 3; }

Task<void> JoinAllKinds() {
  JoinHandle<void> nothing = Spawn(GiveNothing());
  const absl::Status a = co_await nothing;
  EXPECT_TRUE(a.ok());
  JoinHandle<absl::Status> status = Spawn(GiveStatus());
  const absl::Status b = co_await status;
  EXPECT_EQ(b.code(), StatusCode::kNotFound);
  JoinHandle<absl::StatusOr<int>> status_or = Spawn(GiveStatusOr());
  const absl::StatusOr<int> c = co_await status_or;
  EXPECT_EQ(*c, 3);
}

TEST(JoinHandle, NeverNestsAStatusInAStatus) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(JoinAllKinds()).ok());
}

// --- Exceptions.

Task<int> Throw(std::string what) {
  co_await Yield();
  throw std::runtime_error(what);
}

Task<std::string> JoinThrowing() {
  JoinHandle<int> handle = Spawn(Throw("for the joiner"));
  try {
    static_cast<void>(co_await handle);
  } catch (const std::runtime_error& e) {
    EXPECT_FALSE(handle.valid());
    co_return e.what();
  }
  co_return "nothing was thrown";
}

TEST(JoinHandle, ThrowsWhatTheTaskThrew) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(JoinThrowing()), "for the joiner");
  EXPECT_EQ(executor->stats().tasks_alive, 0u);
  EXPECT_EQ(executor->stats().detached_exceptions, 0u);
}

Task<void> LookAtException() {
  JoinHandle<int> good = Spawn(Give(1));
  JoinHandle<int> bad = Spawn(Throw("bad"));
  EXPECT_EQ(bad.exception(), nullptr);  // not yet
  static_cast<void>(co_await bad.Wait());
  EXPECT_EQ(good.exception(), nullptr);
  EXPECT_NE(bad.exception(), nullptr);
}

TEST(JoinHandle, TellsWhetherTheTaskThrew) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(LookAtException()).ok());
}

// --- Misuse dies loudly.

Task<void> DropWhileAwaited() {
  auto handle =
      std::make_unique<JoinHandle<int>>(Spawn(GiveAfter(absl::Seconds(1), 1)));
  JoinHandle<absl::StatusOr<int>> joiner = Spawn(JoinGiven(handle.get()));
  co_await Yield();
  co_await Yield();
  handle.reset();
}

TEST(JoinHandleDeathTest, DroppedWhileAwaitedDiesWithAMessage) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        static_cast<void>(executor->Run(DropWhileAwaited()));
      },
      "moved or dropped while a task awaits it");
}

// The target has ended and the joiner is scheduled but has not run.
Task<void> DropBeforeTheJoinerRuns() {
  auto handle = std::make_unique<JoinHandle<int>>(
      Spawn(GiveAfter(absl::ZeroDuration(), 1)));
  JoinHandle<absl::StatusOr<int>> joiner = Spawn(JoinGiven(handle.get()));
  while (!handle->done()) co_await Yield();
  handle.reset();
}

TEST(JoinHandleDeathTest, DroppedBeforeAWokenJoinerRanDiesWithAMessage) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        static_cast<void>(executor->Run(DropBeforeTheJoinerRuns()));
      },
      "moved or dropped while a task awaits it");
}

Task<void> AwaitFromTwoTasks() {
  JoinHandle<int> handle = Spawn(GiveAfter(absl::Seconds(1), 1));
  JoinHandle<absl::StatusOr<int>> first = Spawn(JoinGiven(&handle));
  JoinHandle<absl::StatusOr<int>> second = Spawn(JoinGiven(&handle));
  static_cast<void>(co_await first);
}

TEST(JoinHandleDeathTest, AwaitedByTwoTasksDiesWithAMessage) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        static_cast<void>(executor->Run(AwaitFromTwoTasks()));
      },
      "two tasks await one JoinHandle");
}

}  // namespace
}  // namespace ringway
