// SPDX-License-Identifier: Apache-2.0

#include "executor/timeout.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "executor/receive_for_test.h"
#include "executor/shield.h"
#include "executor/sleep.h"
#include "executor/virtual_time_executor.h"
#include "gtest/gtest.h"

namespace ringway {
namespace {

using absl::StatusCode;

Task<absl::Status> SleepOnce(absl::Duration duration) {
  co_return co_await Sleep(duration);
}

Task<std::unique_ptr<int>> GiveAfter(absl::Duration delay, int value) {
  static_cast<void>(co_await Sleep(delay));
  co_return std::make_unique<int>(value);
}

TEST(WithTimeout, GivesTheResultOfATaskThatEndsInTime) {
  VirtualTimeExecutor executor;
  absl::StatusOr<std::unique_ptr<int>> result = executor->Run(
      WithTimeout(absl::Seconds(2), GiveAfter(absl::Seconds(1), 5)));
  EXPECT_EQ(**result, 5);
}

TEST(WithTimeout, LeavesNoTimerBehind) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  EXPECT_TRUE(
      executor->Run(WithTimeout(absl::Hours(1), GiveAfter(absl::Seconds(1), 5)))
          .ok());
  EXPECT_EQ(executor.Now() - start, absl::Seconds(1));
  EXPECT_FALSE(executor->loop().alive());
}

TEST(WithTimeout, CancelsTheTaskAtTheDeadline) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  const absl::Status status =
      executor->Run(WithTimeout(absl::Seconds(2), SleepOnce(absl::Hours(1))));
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(executor.Now() - start, absl::Seconds(2));
  EXPECT_EQ(executor->stats().tasks_alive, 0u);
}

Task<absl::Status> CleanUpFor(absl::Duration duration, bool* cleaned_up) {
  const absl::Status status = co_await Sleep(absl::Hours(1));
  Shield shield;
  static_cast<void>(co_await Sleep(duration));
  *cleaned_up = true;
  co_return status;
}

TEST(WithTimeout, WaitsForTheTaskToBeGone) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  bool cleaned_up = false;
  const absl::Status status = executor->Run(
      WithTimeout(absl::Seconds(1), CleanUpFor(absl::Seconds(3), &cleaned_up)));
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(cleaned_up);
  EXPECT_EQ(executor.Now() - start, absl::Seconds(4));
}

TEST(WithTimeout, GivesAResultThatCameInSpiteOfTheCancel) {
  VirtualTimeExecutor executor;
  absl::StatusOr<std::unique_ptr<int>> result = executor->Run(
      WithTimeout(absl::Seconds(1), GiveAfter(absl::Hours(1), 5)));
  EXPECT_EQ(**result, 5);
}

TEST(WithTimeout, OfAnErrorInTimeGivesThatError) {
  VirtualTimeExecutor executor;
  struct Local {
    static Task<absl::Status> Fail() {
      co_return absl::NotFoundError("a cause");
    }
  };
  EXPECT_EQ(executor->Run(WithTimeout(absl::Seconds(1), Local::Fail())).code(),
            StatusCode::kNotFound);
}

Task<void> ThrowAfter(absl::Duration delay) {
  static_cast<void>(co_await Sleep(delay));
  throw std::runtime_error("thrown");
}

TEST(WithTimeout, ThrowsWhatTheTaskThrewBeforeOrAfterTheDeadline) {
  VirtualTimeExecutor executor;
  EXPECT_THROW(static_cast<void>(executor->Run(WithTimeout(
                   absl::Seconds(2), ThrowAfter(absl::Seconds(1))))),
               std::runtime_error);
  EXPECT_THROW(static_cast<void>(executor->Run(
                   WithTimeout(absl::Seconds(1), ThrowAfter(absl::Hours(1))))),
               std::runtime_error);
  EXPECT_EQ(executor->stats().tasks_alive, 0u);
}

Task<void> Note(bool* started) {
  *started = true;
  co_return;
}

TEST(WithTimeout, OfZeroOrLessNeverStartsTheTask) {
  VirtualTimeExecutor executor;
  for (absl::Duration timeout :
       {absl::ZeroDuration(), -absl::Seconds(1), -absl::InfiniteDuration()}) {
    bool started = false;
    EXPECT_EQ(executor->Run(WithTimeout(timeout, Note(&started))).code(),
              StatusCode::kDeadlineExceeded);
    EXPECT_FALSE(started);
  }
}

TEST(WithTimeout, OfInfinityNeverEndsTheTask) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor
                  ->Run(WithTimeout(absl::InfiniteDuration(),
                                    SleepOnce(absl::Hours(1000))))
                  .ok());
}

Task<void> CancelTheWaiter(bool* cleaned_up) {
  Task<absl::Status> inner = CleanUpFor(absl::Seconds(3), cleaned_up);
  JoinHandle<absl::Status> waiter =
      Spawn(WithTimeout(absl::Seconds(2), std::move(inner)));
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  waiter.Cancel();
  const absl::Status status = co_await waiter;
  // The deadline passes while it cleans up, and has no say any more.
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_TRUE(*cleaned_up);
}

TEST(WithTimeout, WhenCancelledCancelsTheTaskAndWaitsForIt) {
  VirtualTimeExecutor executor;
  bool cleaned_up = false;
  EXPECT_TRUE(executor->Run(CancelTheWaiter(&cleaned_up)).ok());
}

TEST(WithTimeout, NestedTheShorterOneCounts) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  const absl::Status status = executor->Run(
      WithTimeout(absl::Seconds(1),
                  WithTimeout(absl::Seconds(5), SleepOnce(absl::Hours(1)))));
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(executor.Now() - start, absl::Seconds(1));
}

TEST(WithTimeout, WithoutRoomForATaskSaysSo) {
  ExecutorOptions options;
  options.max_tasks = 1;
  VirtualTimeExecutor executor(options);
  EXPECT_EQ(
      executor->Run(WithTimeout(absl::Seconds(1), SleepOnce(absl::Seconds(1))))
          .code(),
      StatusCode::kResourceExhausted);
}

Task<absl::StatusOr<std::string>> Receive(int socket) {
  char buffer[64];
  ReceiveOp receive(socket, buffer);
  co_return co_await receive;
}

Task<std::string> ReceiveLate(SocketPair* sockets) {
  Task<absl::StatusOr<std::string>> receive = Receive(sockets->near_end.get());
  const absl::StatusOr<std::string> nothing =
      co_await WithTimeout(absl::Milliseconds(1), std::move(receive));
  EXPECT_EQ(nothing.status().code(), StatusCode::kDeadlineExceeded);
  sockets->SendFromFarEnd("later");
  const absl::StatusOr<std::string> bytes =
      co_await Receive(sockets->near_end.get());
  co_return *bytes;
}

TEST(WithTimeout, BytesAfterTheDeadlineReachTheNextReader) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  SocketPair sockets;
  EXPECT_EQ(*(*executor)->Run(ReceiveLate(&sockets)), "later");
}

// Destroyed where it waits: neither the timer nor the join may stay behind.
TEST(WithTimeout, CanBeDestroyedWithItsExecutor) {
  ExecutorOptions options;
  options.shutdown_grace = absl::ZeroDuration();
  VirtualTimeExecutor executor(options);
  executor
      ->Spawn(WithTimeout(absl::Hours(1), SleepOnce(absl::InfiniteDuration())))
      .Detach();
  EXPECT_TRUE(executor->Run(SleepOnce(absl::Seconds(1))).ok());
}

}  // namespace
}  // namespace ringway
