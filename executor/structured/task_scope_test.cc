// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/structured/task_scope.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using absl::StatusCode;

// --- Joining.

Task<absl::Status> JoinTwo(std::string* log) {
  TaskScope scope;
  JoinHandle<int> value = scope.Spawn(GiveAfter(absl::Seconds(2), 7));
  scope.Spawn(NoteEnd(absl::Seconds(4), log, 'a')).Detach();
  EXPECT_EQ(scope.size(), 2u);
  absl::Status ended = co_await scope.Join();
  EXPECT_EQ(scope.size(), 0u);
  EXPECT_EQ(*log, "a");  // a dropped handle does not take its task out
  EXPECT_EQ(*value.TakeResult(), 7);
  co_return ended;
}

TEST(TaskScope, JoinWaitsForAllOfItsTasks) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  std::string log;
  EXPECT_TRUE(executor->Run(JoinTwo(&log)).ok());
  EXPECT_EQ(executor.Now() - start, absl::Seconds(5));
  EXPECT_EQ(executor->stats().tasks_alive, 0u);
}

Task<absl::Status> SpawnByName(std::string* dump) {
  TaskScope scope;
  scope.Spawn(GiveAfter(absl::Seconds(1), 7), "seven").Detach();
  co_await Yield();
  *dump = Executor::Current()->DumpTasks();
  co_return co_await scope.Join();
}

TEST(TaskScope, NamesItsTasksAsAnExecutorDoes) {
  VirtualTimeExecutor executor;
  std::string dump;
  EXPECT_TRUE(executor->Run(SpawnByName(&dump)).ok());
  EXPECT_NE(dump.find("\"seven\" of #"), std::string::npos) << dump;
}

Task<absl::Status> JoinNothing() {
  TaskScope scope;
  absl::Status first = co_await scope.Join();
  EXPECT_TRUE(first.ok());
  scope.Spawn(GiveAfter(absl::Seconds(1), 1)).Detach();
  co_return co_await scope.Join();
}

TEST(TaskScope, WithoutTasksIsJoinedAtOnceAndCanBeUsedAgain) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  EXPECT_TRUE(executor->Run(JoinNothing()).ok());
  EXPECT_EQ(executor.Now() - start, absl::Seconds(1));
}

Task<void> SpawnMore(TaskScope* scope, int depth, int* ended) {
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  for (int i = 0; depth > 0 && i < 2; ++i)
    scope->Spawn(SpawnMore(scope, depth - 1, ended)).Detach();
  ++*ended;
}

Task<absl::Status> JoinThoseWhoSpawn(int* ended) {
  TaskScope scope;
  scope.Spawn(SpawnMore(&scope, 6, ended)).Detach();
  co_return co_await scope.Join();
}

TEST(TaskScope, JoinWaitsForWhatItsTasksSpawnMeanwhile) {
  VirtualTimeExecutor executor;
  int ended = 0;
  EXPECT_TRUE(executor->Run(JoinThoseWhoSpawn(&ended)).ok());
  EXPECT_EQ(ended, 127);
}

// The last task has ended and the owner is scheduled when another task,
// before it in the queue, spawns one more.
Task<void> SetAndEnd(Event* event) {
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  event->Set();
}

Task<void> SpawnWhenSet(Event* event, TaskScope* scope, int* ended) {
  static_cast<void>(co_await event->Wait());
  EXPECT_EQ(scope->size(), 0u);
  scope->Spawn(SpawnMore(scope, 0, ended)).Detach();
}

Task<absl::Status> JoinBesideAStranger(int* ended) {
  Event event;
  TaskScope scope;
  scope.Spawn(SetAndEnd(&event)).Detach();
  JoinHandle<void> stranger = Spawn(SpawnWhenSet(&event, &scope, ended));
  absl::Status result = co_await scope.Join();
  EXPECT_EQ(*ended, 1);
  EXPECT_TRUE(stranger.done());
  co_return result;
}

TEST(TaskScope, JoinWaitsForATaskThatAStrangerSpawnedAtTheLastMoment) {
  VirtualTimeExecutor executor;
  int ended = 0;
  EXPECT_TRUE(executor->Run(JoinBesideAStranger(&ended)).ok());
}

Task<int> Hold(std::shared_ptr<int> held) { co_return *held; }

Task<void> JoinHoldingTheHandle(std::shared_ptr<int> held) {
  TaskScope scope;
  JoinHandle<int> handle = scope.Spawn(Hold(held));
  const absl::Status ended = co_await scope.Join();
  EXPECT_TRUE(ended.ok());
  // This coroutine's argument and the test's; the task's has gone.
  EXPECT_EQ(held.use_count(), 2);
}

TEST(TaskScope, AfterTheJoinTheArgumentsOfItsTasksAreGone) {
  VirtualTimeExecutor executor;
  auto held = std::make_shared<int>(1);
  EXPECT_TRUE(executor->Run(JoinHoldingTheHandle(held)).ok());
  EXPECT_EQ(held.use_count(), 1);
}

// --- Failing.

Task<absl::Status> JoinFailing(std::string* log, Task<absl::Status> failing) {
  TaskScope scope;
  scope.Spawn(NoteEnd(absl::Hours(1), log, 'a')).Detach();
  scope.Spawn(std::move(failing)).Detach();
  scope.Spawn(NoteEnd(absl::Hours(1), log, 'b')).Detach();
  absl::Status ended = co_await scope.Join();
  EXPECT_TRUE(scope.cancelled());
  co_return ended;
}

TEST(TaskScope, TheFirstFailureCancelsTheOthersAndIsWhatJoinGives) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  std::string log;
  const absl::Status ended = executor->Run(JoinFailing(
      &log, FailAfter(absl::Seconds(1), absl::DataLossError("a cause"))));
  EXPECT_EQ(ended, absl::DataLossError("a cause"));
  EXPECT_EQ(log, "BA");  // waited for, while they cleaned up
  EXPECT_EQ(executor.Now() - start, absl::Seconds(2));
}

TEST(TaskScope, ATaskThatGivesCancelledWithoutBeingCancelledHasFailed) {
  VirtualTimeExecutor executor;
  std::string log;
  const absl::Status ended = executor->Run(JoinFailing(
      &log, FailAfter(absl::Seconds(1), absl::CancelledError("by the peer"))));
  EXPECT_EQ(ended, absl::CancelledError("by the peer"));
  EXPECT_EQ(log, "BA");
}

Task<absl::StatusOr<int>> FailWithValue() {
  co_return absl::NotFoundError("no value");
}

Task<absl::Status> JoinStatusOr() {
  TaskScope scope;
  JoinHandle<absl::StatusOr<int>> handle = scope.Spawn(FailWithValue());
  absl::Status ended = co_await scope.Join();
  EXPECT_EQ(handle.TakeResult().status(), ended);
  co_return ended;
}

TEST(TaskScope, AStatusOrThatIsNotOkIsAFailure) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(executor->Run(JoinStatusOr()), absl::NotFoundError("no value"));
}

// Both fail at the same time; the second while it is being cancelled.
Task<absl::Status> JoinTwoFailures() {
  TaskScope scope;
  scope.Spawn(FailAfter(absl::Seconds(1), absl::DataLossError("first")))
      .Detach();
  scope.Spawn(FailAfter(absl::Seconds(1), absl::AbortedError("second")))
      .Detach();
  co_return co_await scope.Join();
}

TEST(TaskScope, LaterFailuresDoNotReplaceTheFirst) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(executor->Run(JoinTwoFailures()), absl::DataLossError("first"));
}

// --- Exceptions.

VirtualTimeExecutor CountingExceptions(int* reported) {
  ExecutorOptions options;
  options.on_detached_exception = [reported](const std::exception_ptr&) {
    ++*reported;
  };
  return VirtualTimeExecutor(options);
}

Task<void> JoinThrowing(std::string* log, int n_throwing) {
  TaskScope scope;
  scope.Spawn(NoteEnd(absl::Hours(1), log, 'a')).Detach();
  for (int i = 1; i <= n_throwing; ++i)
    scope.Spawn(ThrowAfter(absl::Seconds(i), std::to_string(i))).Detach();
  static_cast<void>(co_await scope.Join());
}

TEST(TaskScope, JoinThrowsTheFirstExceptionWhenAllHaveEnded) {
  int reported = 0;
  VirtualTimeExecutor executor = CountingExceptions(&reported);
  std::string log;
  std::string caught;
  try {
    static_cast<void>(executor->Run(JoinThrowing(&log, 1)));
  } catch (const std::runtime_error& e) {
    caught = e.what();
  }
  EXPECT_EQ(caught, "1");
  EXPECT_EQ(log, "A");
  EXPECT_EQ(reported, 0);  // Join() has delivered it
  EXPECT_EQ(executor->stats().tasks_alive, 0u);
}

TEST(TaskScope, ReportsTheExceptionsThatNobodyElseGets) {
  int reported = 0;
  VirtualTimeExecutor executor = CountingExceptions(&reported);
  std::string log;
  EXPECT_THROW(static_cast<void>(executor->Run(JoinThrowing(&log, 3))),
               std::runtime_error);
  EXPECT_EQ(reported, 2);
}

Task<void> JoinThrowingWithHandle() {
  TaskScope scope;
  JoinHandle<void> handle = scope.Spawn(ThrowAfter(absl::Seconds(1), "both"));
  EXPECT_THROW(static_cast<void>(co_await scope.Join()), std::runtime_error);
  EXPECT_THROW(static_cast<void>(handle.TakeResult()), std::runtime_error);
}

TEST(TaskScope, AnExceptionReachesTheHandleToo) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(JoinThrowingWithHandle()).ok());
}

Task<void> Note(bool* started) {
  *started = true;
  co_return;
}

// --- Limits.

Task<void> CountAlive(int* alive, int* peak) {
  *peak = std::max(*peak, ++*alive);
  static_cast<void>(co_await Sleep(absl::Milliseconds(1)));
  --*alive;
}

Task<absl::Status> SpawnAsThereIsRoom(int* peak) {
  int alive = 0;
  TaskScope scope(/*max_tasks=*/3);
  for (int i = 0; i < 1000; ++i) {
    absl::Status room = co_await scope.WaitForRoom();
    EXPECT_TRUE(room.ok());
    scope.Spawn(CountAlive(&alive, peak)).Detach();
  }
  co_return co_await scope.Join();
}

TEST(TaskScope, WaitForRoomHoldsTheProducerBack) {
  VirtualTimeExecutor executor;
  int peak = 0;
  EXPECT_TRUE(executor->Run(SpawnAsThereIsRoom(&peak)).ok());
  EXPECT_EQ(peak, 3);
}

Task<absl::Status> SpawnOneTooMany(bool* started) {
  TaskScope scope(/*max_tasks=*/1);
  scope.Spawn(GiveAfter(absl::Hours(1), 1)).Detach();
  scope.Spawn(Note(started)).Detach();
  co_return co_await scope.Join();
}

TEST(TaskScope, OneTaskTooManyIsAFailureThatNamesTheLimit) {
  VirtualTimeExecutor executor;
  bool started = false;
  EXPECT_EQ(
      executor->Run(SpawnOneTooMany(&started)),
      absl::ResourceExhaustedError("TaskScope: 1 tasks are alive already"));
  EXPECT_FALSE(started);
}

TEST(TaskScope, ATaskThatTheExecutorRefusesIsAFailure) {
  ExecutorOptions options;
  options.max_tasks = 2;
  VirtualTimeExecutor executor(options);
  bool started = false;
  struct Local {
    static Task<absl::Status> SpawnTwo(bool* started) {
      TaskScope scope;
      scope.Spawn(GiveAfter(absl::Hours(1), 1)).Detach();
      scope.Spawn(Note(started)).Detach();
      co_return co_await scope.Join();
    }
  };
  EXPECT_EQ(executor->Run(Local::SpawnTwo(&started)).code(),
            StatusCode::kResourceExhausted);
  EXPECT_FALSE(started);
}

Task<absl::Status> TenThousandInTurn() {
  TaskScope scope;
  for (int i = 0; i < 10'000; ++i) {
    JoinHandle<int> handle = scope.Spawn(GiveAfter(absl::ZeroDuration(), i));
    const absl::StatusOr<int> value = co_await handle;
    if (!value.ok()) co_return value.status();
  }
  co_return co_await scope.Join();
}

TEST(TaskScope, TenThousandTasksInTurnFitAnExecutorForTwoHundredAndFiftySix) {
  ExecutorOptions options;
  options.max_tasks = 256;
  VirtualTimeExecutor executor(options);
  EXPECT_TRUE(executor->Run(TenThousandInTurn()).ok());
  EXPECT_EQ(executor->stats().tasks_refused, 0u);
  EXPECT_EQ(executor->stats().tasks_alive, 0u);
}

}  // namespace
}  // namespace ringway
