// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/structured/timeout.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/receive_for_test.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using absl::StatusCode;

Task<std::unique_ptr<int>> BoxAfter(absl::Duration delay, int value) {
  static_cast<void>(co_await Sleep(delay));
  co_return std::make_unique<int>(value);
}

TEST(WithTimeout, GivesTheResultOfATaskThatEndsInTime) {
  VirtualTimeExecutor executor;
  absl::StatusOr<std::unique_ptr<int>> result = executor->Run(
      WithTimeout(absl::Seconds(2), BoxAfter(absl::Seconds(1), 5)));
  EXPECT_EQ(**result, 5);
}

TEST(WithTimeout, LeavesNoTimerBehind) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  EXPECT_TRUE(
      executor->Run(WithTimeout(absl::Hours(1), BoxAfter(absl::Seconds(1), 5)))
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
  absl::StatusOr<std::unique_ptr<int>> result =
      executor->Run(WithTimeout(absl::Seconds(1), BoxAfter(absl::Hours(1), 5)));
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

TEST(WithTimeout, ThrowsWhatTheTaskThrewBeforeOrAfterTheDeadline) {
  VirtualTimeExecutor executor;
  EXPECT_THROW(static_cast<void>(executor->Run(WithTimeout(
                   absl::Seconds(2), ThrowAfter(absl::Seconds(1), "thrown")))),
               std::runtime_error);
  EXPECT_THROW(static_cast<void>(executor->Run(WithTimeout(
                   absl::Seconds(1), ThrowAfter(absl::Hours(1), "thrown")))),
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
  // The deadline passes while it cleans up, and has no effect.
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

// --- WithDeadline.

Task<absl::Status> SleepUntilDeadline(absl::Duration until_deadline,
                                      absl::Duration duration) {
  const MonotonicTime deadline = After(until_deadline);
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  co_return co_await WithDeadline(deadline, SleepOnce(duration));
}

TEST(WithDeadline, CountsFromWhenTheDeadlineWasMadeAndNotFromTheAwait) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  EXPECT_EQ(executor->Run(SleepUntilDeadline(absl::Seconds(5), absl::Hours(1)))
                .code(),
            StatusCode::kDeadlineExceeded);
  EXPECT_EQ(executor.Now() - start, absl::Seconds(5));
  EXPECT_TRUE(
      executor->Run(SleepUntilDeadline(absl::Seconds(5), absl::Seconds(3)))
          .ok());
}

TEST(WithDeadline, ThatHasPassedNeverStartsTheTask) {
  VirtualTimeExecutor executor;
  bool started = false;
  EXPECT_EQ(executor->Run(WithDeadline(executor.Now(), Note(&started))).code(),
            StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(started);
}

TEST(WithDeadline, OfInfinityNeverEndsTheTask) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor
                  ->Run(WithDeadline(MonotonicTime::Infinite(),
                                     SleepOnce(absl::Hours(1000))))
                  .ok());
}

Task<void> CompareAfters(VirtualTimeExecutor* executor) {
  EXPECT_EQ(After(absl::ZeroDuration()), executor->Now());
  executor->Advance(absl::Seconds(1));  // within the turn
  EXPECT_EQ(After(absl::Seconds(2)), executor->Now() + absl::Seconds(2));
  EXPECT_LT(After(-absl::Seconds(1)), executor->Now());
  EXPECT_TRUE(After(absl::InfiniteDuration()).is_infinite());
  co_return;
}

TEST(After, CountsFromNowOnTheBackendsClock) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CompareAfters(&executor)).ok());
}

TEST(AfterDeathTest, OutsideOfAnExecutorDiesWithAMessage) {
  EXPECT_DEATH(static_cast<void>(After(absl::Seconds(1))),
               "After.. outside of a running executor");
}

// --- CancelWithin.

Task<void> CancelInTime(const Clock* clock, bool* cleaned_up) {
  JoinHandle<absl::Status> handle =
      Spawn(CleanUpFor(absl::Seconds(3), cleaned_up));
  co_await Yield();
  const MonotonicTime start = clock->Now();
  const absl::Status status = co_await CancelWithin(absl::Seconds(5), handle);
  EXPECT_EQ(status.code(), StatusCode::kCancelled);  // the task's own result
  EXPECT_TRUE(*cleaned_up);
  EXPECT_FALSE(handle.valid());
  EXPECT_EQ(clock->Now() - start, absl::Seconds(3));
}

TEST(CancelWithin, GivesTheResultOfATaskThatEndsInItsGrace) {
  VirtualTimeExecutor executor;
  bool cleaned_up = false;
  EXPECT_TRUE(executor->Run(CancelInTime(&executor.clock(), &cleaned_up)).ok());
  EXPECT_FALSE(executor->loop().alive());
}

Task<void> CancelInVain(const Clock* clock, bool* cleaned_up) {
  JoinHandle<absl::Status> handle =
      Spawn(CleanUpFor(absl::Seconds(3), cleaned_up));
  co_await Yield();
  const MonotonicTime start = clock->Now();
  absl::Status status = co_await CancelWithin(absl::Seconds(2), handle);
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(*cleaned_up);
  EXPECT_EQ(clock->Now() - start, absl::Seconds(2));
  status = co_await handle;  // it can still be joined
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_TRUE(*cleaned_up);
  EXPECT_EQ(clock->Now() - start, absl::Seconds(3));
}

TEST(CancelWithin, AfterTheGraceSaysSoAndTheTaskGoesOn) {
  VirtualTimeExecutor executor;
  bool cleaned_up = false;
  EXPECT_TRUE(executor->Run(CancelInVain(&executor.clock(), &cleaned_up)).ok());
}

Task<void> CancelWithoutGrace(bool* cleaned_up) {
  JoinHandle<std::unique_ptr<int>> ended =
      Spawn(BoxAfter(absl::ZeroDuration(), 5));
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  const absl::StatusOr<std::unique_ptr<int>> value =
      co_await CancelWithin(absl::ZeroDuration(), ended);
  EXPECT_EQ(**value, 5);

  JoinHandle<absl::Status> running =
      Spawn(CleanUpFor(absl::Seconds(3), cleaned_up));
  co_await Yield();
  const absl::Status status =
      co_await CancelWithin(absl::ZeroDuration(), running);
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  running.Detach();
}

TEST(CancelWithin, WithoutGraceTakesOnlyWhatHasEndedAlready) {
  VirtualTimeExecutor executor;
  bool cleaned_up = false;
  EXPECT_TRUE(executor->Run(CancelWithoutGrace(&cleaned_up)).ok());
  EXPECT_FALSE(cleaned_up);
  executor.executor.reset();  // which waits for the remaining task
  EXPECT_TRUE(cleaned_up);
}

Task<void> CancelTheCanceller(bool* cleaned_up) {
  JoinHandle<absl::Status> handle =
      Spawn(CleanUpFor(absl::Seconds(3), cleaned_up));
  co_await Yield();
  JoinHandle<absl::Status> canceller =
      Spawn(CancelWithin(absl::Hours(1), handle));
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  canceller.Cancel();
  const absl::Status status = co_await canceller;
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_TRUE(handle.valid());
  static_cast<void>(co_await handle);
}

TEST(CancelWithin, WhenCancelledLeavesTheHandleAsItIs) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  bool cleaned_up = false;
  EXPECT_TRUE(executor->Run(CancelTheCanceller(&cleaned_up)).ok());
  EXPECT_EQ(executor.Now() - start, absl::Seconds(3));
}

// --- On sockets.

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

// If the task has already ended, its result may be an error that is returned
// only once: after a reset, the next read would get a clean end of stream. It
// was replaced by the deadline's error; the other tests check OK results.
Task<absl::Status> FailOnceCancelled() {
  (co_await Sleep(absl::Hours(1))).IgnoreError();
  co_return absl::UnavailableError("reset");
}

TEST(WithTimeout, GivesAnErrorOfTheTasksOwnAlsoAfterTheDeadline) {
  VirtualTimeExecutor executor;
  const absl::Status status =
      executor->Run(WithTimeout(absl::Seconds(1), FailOnceCancelled()));
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
}

TEST(WithTimeout, BytesAfterTheDeadlineReachTheNextReader) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  SocketPair sockets;
  EXPECT_EQ(*(*executor)->Run(ReceiveLate(&sockets)), "later");
}

// Destroyed while it waits: neither the timer nor the join may remain.
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
