// SPDX-License-Identifier: Apache-2.0
//
// Cancelling a task in every state, and shields against it.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/receive_for_test.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using absl::StatusCode;

Task<int> Give(int value) { co_return value; }

Task<int> Note(bool* started, std::shared_ptr<int> argument) {
  *started = true;
  co_return *argument;
}

Task<void> CancelBeforeStart(bool* started, std::shared_ptr<int> argument) {
  JoinHandle<int> handle = Spawn(Note(started, argument));
  EXPECT_EQ(argument.use_count(), 3);
  handle.Cancel();
  const absl::StatusOr<int> result = co_await handle;
  EXPECT_EQ(result.status().code(), StatusCode::kCancelled);
  EXPECT_EQ(argument.use_count(), 2);
}

TEST(Cancel, BeforeTheStartNeverRunsTheBodyAndDestroysItsArguments) {
  VirtualTimeExecutor executor;
  bool started = false;
  auto argument = std::make_shared<int>(1);
  EXPECT_TRUE(executor->Run(CancelBeforeStart(&started, argument)).ok());
  EXPECT_FALSE(started);
  EXPECT_EQ(argument.use_count(), 1);
}

Task<void> CancelSleeper(const Clock* clock) {
  const MonotonicTime start = clock->Now();
  JoinHandle<absl::Status> sleeper = Spawn(SleepOnce(absl::Hours(1)));
  co_await Yield();
  sleeper.Cancel();
  const absl::Status status = co_await sleeper;
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(clock->Now(), start);
}

TEST(Cancel, EndsASleepAtOnce) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelSleeper(&executor.clock())).ok());
}

Task<absl::StatusOr<std::string>> Receive(int socket) {
  char buffer[64];
  ReceiveOp receive(socket, buffer);
  co_return co_await receive;
}

Task<void> CancelReceiver(SocketPair* sockets) {
  JoinHandle<absl::StatusOr<std::string>> receiver =
      Spawn(Receive(sockets->near_end.get()));
  static_cast<void>(co_await Sleep(absl::ZeroDuration()));  // it is in flight
  receiver.Cancel();
  const absl::StatusOr<std::string> cancelled = co_await receiver;
  EXPECT_EQ(cancelled.status().code(), StatusCode::kCancelled);

  sockets->SendFromFarEnd("for the next reader");
  JoinHandle<absl::StatusOr<std::string>> next =
      Spawn(Receive(sockets->near_end.get()));
  const absl::StatusOr<std::string> bytes = co_await next;
  EXPECT_EQ(*bytes, "for the next reader");
}

TEST(Cancel, EndsAnOperationInTheKernelAndTakesNoBytes) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  SocketPair sockets;
  EXPECT_TRUE((*executor)->Run(CancelReceiver(&sockets)).ok());
  EXPECT_EQ((*executor)->stats().loop.backend.cancels, 1u);
}

Task<void> CancelReceiverThatHasBytes(SocketPair* sockets) {
  JoinHandle<absl::StatusOr<std::string>> receiver =
      Spawn(Receive(sockets->near_end.get()));
  static_cast<void>(co_await Sleep(absl::ZeroDuration()));
  sockets->SendFromFarEnd("raced");
  receiver.Cancel();
  const absl::StatusOr<std::string> raced = co_await receiver;
  if (raced.ok()) {
    EXPECT_EQ(*raced, "raced");
    co_return;
  }
  EXPECT_EQ(raced.status().code(), StatusCode::kCancelled);
  JoinHandle<absl::StatusOr<std::string>> next =
      Spawn(Receive(sockets->near_end.get()));
  const absl::StatusOr<std::string> bytes = co_await next;
  EXPECT_EQ(*bytes, "raced");
}

TEST(Cancel, OfAReceiveThatRacesItsBytesLosesNone) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  for (int round = 0; round < 1000; ++round) {
    SocketPair sockets;
    ASSERT_TRUE((*executor)->Run(CancelReceiverThatHasBytes(&sockets)).ok());
  }
}

Task<void> CancelReceiverBeforeItIsSubmitted(SocketPair* sockets) {
  JoinHandle<absl::StatusOr<std::string>> receiver =
      Spawn(Receive(sockets->near_end.get()));
  co_await Yield();  // it has started its receive; the turn is not over
  receiver.Cancel();
  const absl::StatusOr<std::string> cancelled = co_await receiver;
  EXPECT_EQ(cancelled.status().code(), StatusCode::kCancelled);
}

TEST(Cancel, EndsAnOperationThatTheKernelHasNotSeenYet) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  SocketPair sockets;
  EXPECT_TRUE(
      (*executor)->Run(CancelReceiverBeforeItIsSubmitted(&sockets)).ok());
  EXPECT_EQ((*executor)->stats().loop.backend.cancels, 0u);
}

Task<void> CancelAfterTheEnd(Executor* executor) {
  JoinHandle<int> handle = Spawn(Give(4));
  const TaskId id = handle.id();
  co_await Yield();
  EXPECT_TRUE(handle.done());
  handle.Cancel();
  EXPECT_FALSE(executor->Cancel(id));
  const absl::StatusOr<int> result = co_await handle;
  EXPECT_EQ(*result, 4);
  handle.Cancel();  // of an empty handle: nothing
}

TEST(Cancel, AfterTheEndChangesNothing) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelAfterTheEnd(executor.executor.get())).ok());
}

Task<absl::Status> AwaitChild() {
  co_return co_await SleepOnce(absl::Hours(1));
}

Task<void> CancelTaskThatAwaitsAChild() {
  JoinHandle<absl::Status> parent = Spawn(AwaitChild());
  co_await Yield();
  parent.Cancel();
  const absl::Status status = co_await parent;
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
}

TEST(Cancel, ReachesTheInnermostChild) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelTaskThatAwaitsAChild()).ok());
}

Task<absl::Status> JoinSleeper(JoinHandle<absl::Status>* sleeper) {
  co_return co_await *sleeper;
}

Task<void> CancelJoiner() {
  JoinHandle<absl::Status> sleeper = Spawn(SleepOnce(absl::Seconds(1)));
  JoinHandle<absl::Status> joiner = Spawn(JoinSleeper(&sleeper));
  co_await Yield();
  co_await Yield();
  joiner.Cancel();
  const absl::Status cancelled = co_await joiner;
  EXPECT_EQ(cancelled.code(), StatusCode::kCancelled);
  EXPECT_FALSE(sleeper.done());
  const absl::Status slept = co_await sleeper;  // it was not cancelled
  EXPECT_TRUE(slept.ok());
}

TEST(Cancel, EndsAJoinAndNotTheTaskThatIsJoined) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelJoiner()).ok());
}

Task<std::vector<StatusCode>> SleepThreeTimes() {
  std::vector<StatusCode> codes;
  for (int i = 0; i < 3; ++i) {
    const absl::Status status = co_await Sleep(absl::Hours(1));
    codes.push_back(status.code());
  }
  co_return codes;
}

Task<void> CancelSeveralWaits() {
  JoinHandle<std::vector<StatusCode>> task = Spawn(SleepThreeTimes());
  co_await Yield();
  task.Cancel();
  task.Cancel();
  const absl::StatusOr<std::vector<StatusCode>> codes = co_await task;
  EXPECT_EQ(*codes, std::vector<StatusCode>(3, StatusCode::kCancelled));
}

TEST(Cancel, MakesEveryLaterWaitFailAtOnce) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  EXPECT_TRUE(executor->Run(CancelSeveralWaits()).ok());
  EXPECT_EQ(executor.Now(), start);
}

Task<absl::Status> CancelSelf(Executor* executor) {
  executor->current_task()->RequestCancel();
  co_return co_await Sleep(absl::Hours(1));
}

TEST(Cancel, OfTheRunningTaskTakesEffectAtItsNextWait) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(executor->Run(CancelSelf(executor.executor.get())).code(),
            StatusCode::kCancelled);
}

// --- Shields.

Task<absl::Status> SleepShielded(absl::Status* shielded) {
  {
    Shield shield;
    *shielded = co_await Sleep(absl::Seconds(2));
  }
  co_return co_await Sleep(absl::Seconds(2));
}

Task<void> CancelShielded(const Clock* clock) {
  const MonotonicTime start = clock->Now();
  absl::Status shielded = absl::UnknownError("not set");
  JoinHandle<absl::Status> task = Spawn(SleepShielded(&shielded));
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  task.Cancel();
  const absl::Status unshielded = co_await task;
  EXPECT_TRUE(shielded.ok()) << shielded;
  EXPECT_EQ(unshielded.code(), StatusCode::kCancelled);
  EXPECT_EQ(clock->Now() - start, absl::Seconds(2));
}

TEST(Shield, PutsACancelOffUntilItGoes) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelShielded(&executor.clock())).ok());
}

Task<absl::Status> CleanUpShielded() {
  const absl::Status cancelled = co_await Sleep(absl::Hours(1));
  EXPECT_EQ(cancelled.code(), StatusCode::kCancelled);
  Shield outer;
  {
    Shield inner;
    const absl::Status status = co_await Sleep(absl::Seconds(1));
    EXPECT_TRUE(status.ok());
  }
  co_return co_await Sleep(absl::Seconds(1));  // the outer one is still up
}

Task<void> CancelThenCleanUp() {
  JoinHandle<absl::Status> task = Spawn(CleanUpShielded());
  co_await Yield();
  task.Cancel();
  const absl::Status status = co_await task;
  EXPECT_TRUE(status.ok());
}

TEST(Shield, LetsACancelledTaskWaitWhileItCleansUpAndNests) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelThenCleanUp()).ok());
}

}  // namespace
}  // namespace ringway
