// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/executor.h"

#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using absl::StatusCode;

Task<int> Give(int value) { co_return value; }

Task<int> Hold(std::shared_ptr<int> held) { co_return *held; }

// --- Run.

TEST(Run, ReturnsTheValueOnTheBackendThatProductionPicks) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  std::printf("backend: %s\n",
              std::string((*executor)->loop().backend().description()).c_str());
  EXPECT_EQ(*(*executor)->Run(Give(42)), 42);
}

TEST(Run, CanBeCalledAgain) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(Give(1)), 1);
  EXPECT_EQ(*executor->Run(Give(2)), 2);
}

Task<int> Throw(std::string what) {
  co_await Yield();
  throw std::runtime_error(what);
}

TEST(Run, ThrowsWhatTheTaskThrewAndCanBeCalledAgain) {
  VirtualTimeExecutor executor;
  EXPECT_THROW(static_cast<void>(executor->Run(Throw("x"))),
               std::runtime_error);
  EXPECT_EQ(*executor->Run(Give(2)), 2);
}

Task<int> GiveAfterYields(int value) {
  for (int i = 0; i < 3; ++i) co_await Yield();
  co_return value;
}

TEST(Turn, DrivesSeveralExecutorsOnOneThread) {
  VirtualTimeExecutor one, other;
  JoinHandle<int> first = one->Spawn(GiveAfterYields(1));
  JoinHandle<int> second = other->Spawn(GiveAfterYields(2));
  for (int turn = 0; turn < 10; ++turn) {
    one->Turn(one.Now());
    other->Turn(other.Now());
  }
  EXPECT_EQ(*first.TakeResult(), 1);
  EXPECT_EQ(*second.TakeResult(), 2);
}

Task<void> TurnInside(Executor* executor) {
  executor->Turn(executor->loop().now());
  co_return;
}

TEST(TurnDeathTest, InsideARunDiesWithAMessage) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        static_cast<void>(executor->Run(TurnInside(executor.executor.get())));
      },
      "inside another turn");
}

Task<StatusCode> RunInside(Executor* executor, std::shared_ptr<int> held) {
  Task<int> task = Hold(std::move(held));
  const absl::StatusOr<int> nested = executor->Run(std::move(task));
  co_return nested.status().code();
}

TEST(Run, InsideARunIsAnErrorAndDropsTheTask) {
  VirtualTimeExecutor executor;
  auto held = std::make_shared<int>(1);
  EXPECT_EQ(*executor->Run(RunInside(executor.executor.get(), held)),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Run, OfAnotherExecutorInsideARunIsAnErrorToo) {
  VirtualTimeExecutor outer, inner;
  EXPECT_EQ(
      *outer->Run(RunInside(inner.executor.get(), std::make_shared<int>(1))),
      StatusCode::kFailedPrecondition);
}

Task<void> SpawnDetachedSleeper(bool* woke) {
  struct Local {
    static Task<void> SleepAndSay(bool* woke) {
      static_cast<void>(co_await Sleep(absl::Seconds(1)));
      *woke = true;
    }
  };
  Spawn(Local::SleepAndSay(woke)).Detach();
  co_return;
}

TEST(Run, LeavesOtherTasksForTheNextRun) {
  VirtualTimeExecutor executor;
  bool woke = false;
  EXPECT_TRUE(executor->Run(SpawnDetachedSleeper(&woke)).ok());
  EXPECT_FALSE(woke);
  EXPECT_EQ(executor->stats().tasks_alive, 1u);
  EXPECT_TRUE(executor->Run(SleepOnce(absl::Seconds(2))).ok());
  EXPECT_TRUE(woke);
}

Task<void> CheckCurrent(Executor* executor) {
  EXPECT_EQ(Executor::Current(), executor);
  EXPECT_NE(executor->current_task(), nullptr);
  co_return;
}

TEST(Run, MakesItsExecutorTheCurrentOne) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(Executor::Current(), nullptr);
  EXPECT_TRUE(executor->Run(CheckCurrent(executor.executor.get())).ok());
  EXPECT_EQ(Executor::Current(), nullptr);
  EXPECT_EQ(executor->current_task(), nullptr);
}

// --- Options.

TEST(ExecutorOptions, OutOfRangeAreRefusedByName) {
  ExecutorOptions no_tasks;
  no_tasks.max_tasks = 0;
  ExecutorOptions negative_grace;
  negative_grace.shutdown_grace = -absl::Seconds(1);

  const absl::Status first = Executor::Create(no_tasks).status();
  const absl::Status second = Executor::Create(negative_grace).status();

  EXPECT_EQ(first.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(first.message(),
            "ExecutorOptions::max_tasks is 0, must be 1 to 1073741824");
  EXPECT_EQ(second.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(second.message(),
            "ExecutorOptions::shutdown_grace is -1s, must be at least 0");
}

// --- Spawn.

Task<void> Append(std::vector<int>* log, int id) {
  log->push_back(id);
  co_return;
}

Task<void> SpawnMany(std::vector<int>* log, int n) {
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < n; ++i) handles.push_back(Spawn(Append(log, i)));
  for (JoinHandle<void>& handle : handles) static_cast<void>(co_await handle);
}

TEST(Spawn, StartsTasksInTheOrderTheyWereSpawned) {
  VirtualTimeExecutor executor;
  constexpr int kTasks = 2000;  // more than one turn's budget
  std::vector<int> log;
  EXPECT_TRUE(executor->Run(SpawnMany(&log, kTasks)).ok());
  ASSERT_EQ(log.size(), size_t{kTasks});
  for (int i = 0; i < kTasks; ++i) EXPECT_EQ(log[i], i);
}

TEST(Spawn, BeforeRunStartsBeforeTheRunsTask) {
  VirtualTimeExecutor executor;
  std::vector<int> log;
  JoinHandle<void> early = executor->Spawn(Append(&log, 1));
  EXPECT_TRUE(executor->Run(Append(&log, 2)).ok());
  EXPECT_EQ(log, (std::vector<int>{1, 2}));
  EXPECT_TRUE(early.TakeResult().ok());
}

Task<void> AppendForEver(std::vector<int>* log, int id, size_t limit) {
  while (log->size() < limit) {
    log->push_back(id);
    co_await Yield();
  }
}

Task<void> RunReadyTasks(std::vector<int>* log, int n, size_t limit) {
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < n; ++i)
    handles.push_back(Spawn(AppendForEver(log, i, limit)));
  for (JoinHandle<void>& handle : handles) static_cast<void>(co_await handle);
}

TEST(Spawn, AlwaysReadyTasksEachRunOnceBeforeAnyRunsTwice) {
  for (uint32_t budget : {1u, 3u, 512u}) {
    ExecutorOptions options;
    options.loop.ready_budget = budget;
    VirtualTimeExecutor executor(options);
    std::vector<int> log;
    EXPECT_TRUE(executor->Run(RunReadyTasks(&log, 10, 100)).ok());
    for (size_t i = 0; i < 100; ++i) EXPECT_EQ(log[i], int(i % 10));
  }
}

TEST(SpawnDeathTest, OnAnotherThreadDiesWithAMessage) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        std::thread([&] { executor->Spawn(Give(1)).Detach(); }).join();
      },
      "thread");
}

TEST(SpawnDeathTest, OutsideOfARunningExecutorDiesWithAMessage) {
  EXPECT_DEATH(Spawn(Give(1)).Detach(), "outside of a running executor");
}

// --- Limits.

Task<void> FillUp(size_t n, std::shared_ptr<int> held) {
  std::vector<JoinHandle<absl::Status>> handles;
  for (size_t i = 0; i < n; ++i)
    handles.push_back(Spawn(SleepOnce(absl::Seconds(1))));

  JoinHandle<int> refused = Spawn(Hold(held));

  EXPECT_EQ(held.use_count(), 2);  // ours and the test's: the task's is gone
  EXPECT_FALSE(refused.valid());
  EXPECT_TRUE(refused.done());
  EXPECT_EQ(refused.spawn_status().code(), StatusCode::kResourceExhausted);
  const absl::StatusOr<int> result = co_await refused;
  EXPECT_EQ(result.status().message(),
            "ExecutorOptions::max_tasks: 4 tasks are alive already");
  for (JoinHandle<absl::Status>& handle : handles)
    static_cast<void>(co_await handle);
  JoinHandle<int> accepted = Spawn(Hold(held));
  const absl::StatusOr<int> accepted_result = co_await accepted;
  EXPECT_TRUE(accepted_result.ok());
}

TEST(MaxTasks, RefusesOneMoreByNameDestroysItAndAcceptsAgainLater) {
  ExecutorOptions options;
  options.max_tasks = 4;
  VirtualTimeExecutor executor(options);
  auto held = std::make_shared<int>(1);
  EXPECT_TRUE(executor->Run(FillUp(3, held)).ok());
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(executor->stats().tasks_refused, 1u);
}

TEST(MaxTasks, RefusesARunToo) {
  ExecutorOptions options;
  options.max_tasks = 1;
  VirtualTimeExecutor executor(options);
  executor->Spawn(SleepOnce(absl::Seconds(1))).Detach();
  EXPECT_EQ(executor->Run(Give(1)).status().code(),
            StatusCode::kResourceExhausted);
}

// A reused slot once let an old id reach its new occupant; ids carry a
// generation.
Task<void> KeepStaleIds(Executor* executor) {
  std::vector<TaskId> stale;
  for (int i = 0; i < 10'000; ++i) {
    JoinHandle<int> handle = Spawn(Give(i));
    stale.push_back(handle.id());
    static_cast<void>(co_await handle);
  }
  std::vector<JoinHandle<absl::Status>> alive;
  for (int i = 0; i < 200; ++i)
    alive.push_back(Spawn(SleepOnce(absl::Seconds(1))));
  co_await Yield();
  for (TaskId id : stale) EXPECT_FALSE(executor->Cancel(id));
  EXPECT_FALSE(executor->Cancel(TaskId{}));
  for (JoinHandle<absl::Status>& handle : alive) {
    const absl::Status slept = co_await handle;
    EXPECT_TRUE(slept.ok());
  }
}

TEST(TaskId, OfATaskThatHasEndedNeverCancelsAnother) {
  ExecutorOptions options;
  options.max_tasks = 256;
  VirtualTimeExecutor executor(options);
  EXPECT_TRUE(executor->Run(KeepStaleIds(executor.executor.get())).ok());
}

Task<void> CancelById(Executor* executor) {
  JoinHandle<absl::Status> sleeper = Spawn(SleepOnce(absl::Hours(1)));
  co_await Yield();
  EXPECT_TRUE(executor->Cancel(sleeper.id()));
  const absl::Status status = co_await sleeper;
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
}

TEST(TaskId, CancelsItsTask) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelById(executor.executor.get())).ok());
}

Task<void> CancelEverybody(Executor* executor) {
  JoinHandle<absl::Status> a = Spawn(SleepOnce(absl::Hours(1)));
  JoinHandle<int> b = Spawn(Give(1));
  EXPECT_EQ(executor->CancelAll(), 2u);
  const absl::Status cancelled = co_await a;
  EXPECT_EQ(cancelled.code(), StatusCode::kCancelled);
  const absl::StatusOr<int> never_ran = co_await b;
  EXPECT_EQ(never_ran.status().code(), StatusCode::kCancelled);
  const absl::Status own = co_await Sleep(absl::Seconds(1));
  EXPECT_TRUE(own.ok());
}

TEST(CancelAll, CancelsEveryTaskButTheCaller) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelEverybody(executor.executor.get())).ok());
}

Task<void> CancelAllButTheSpared(Executor* executor) {
  JoinHandle<absl::Status> running = Spawn(SleepOnce(absl::Seconds(1)));
  co_await Yield();
  running.SpareFromCancelAll();
  JoinHandle<int> queued = Spawn(Give(1));
  queued.SpareFromCancelAll();
  JoinHandle<absl::Status> owned = Spawn(SleepOnce(absl::Hours(1)));
  owned.SpareFromCancelAll();
  EXPECT_EQ(executor->CancelAll(), 0u);
  const absl::StatusOr<int> ran = co_await queued;
  EXPECT_EQ(ran.value_or(0), 1);
  const absl::Status slept = co_await running;
  EXPECT_TRUE(slept.ok());
  owned.Cancel();
  const absl::Status cancelled = co_await owned;
  EXPECT_EQ(cancelled.code(), StatusCode::kCancelled);
}

TEST(CancelAll, SparesWhatItsOwnersWaitForLater) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(
      executor->Run(CancelAllButTheSpared(executor.executor.get())).ok());
}

TEST(CancelAll, TheEndOfTheExecutorSparesNothing) {
  VirtualTimeExecutor executor;
  absl::Status slept;
  JoinHandle<void> sleeper =
      executor->Spawn([](absl::Status& status) -> Task<void> {
        status = co_await Sleep(absl::Hours(1));
      }(slept));
  sleeper.SpareFromCancelAll();
  for (int i = 0; i < 3; ++i) executor->Turn(executor->loop().now());
  executor.executor.reset();
  EXPECT_EQ(slept.code(), StatusCode::kCancelled);
}

// --- Exceptions of detached tasks.

Task<void> DetachThrowing() {
  Spawn(Throw("nobody joins")).Detach();
  JoinHandle<int> other = Spawn(Give(5));
  for (int i = 0; i < 3; ++i) co_await Yield();
  const absl::StatusOr<int> result = co_await other;
  EXPECT_EQ(*result, 5);
}

// Options whose handler records its argument.
ExecutorOptions Noting(std::vector<std::string>* caught) {
  ExecutorOptions options;
  options.on_detached_exception = [caught](std::exception_ptr exception) {
    try {
      std::rethrow_exception(std::move(exception));
    } catch (const std::exception& e) {
      caught->push_back(e.what());
    }
  };
  return options;
}

TEST(DetachedTask, GivesItsExceptionToTheHandlerAndOthersGoOn) {
  std::vector<std::string> caught;
  VirtualTimeExecutor executor(Noting(&caught));
  EXPECT_TRUE(executor->Run(DetachThrowing()).ok());
  EXPECT_EQ(caught, std::vector<std::string>{"nobody joins"});
  EXPECT_EQ(executor->stats().detached_exceptions, 1u);
}

TEST(DetachedTask, ReportsItsExceptionOnStderrByDefault) {
  VirtualTimeExecutor executor;
  testing::internal::CaptureStderr();
  EXPECT_TRUE(executor->Run(DetachThrowing()).ok());
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "ringway: a detached task threw: nobody joins\n");
}

// --- Exceptions outside tasks.
//
// They used to propagate from the turn and from the current Run(): its result
// was lost, and a worker's endless Run() ended. Tasks keep their exceptions
// in their promises, so tests of tasks could not detect it.

struct ThrowingEntry : Runnable {
  ThrowingEntry()
      : Runnable([](Runnable&) { throw std::runtime_error("an entry"); }) {}
};

Task<int> GiveBehindExceptions(Loop* loop, ThrowingEntry* entry, int value) {
  EXPECT_TRUE(
      loop->inbox()->Post([] { throw std::runtime_error("a post"); }).ok());
  loop->Schedule(*entry);
  (co_await Sleep(absl::Seconds(1))).IgnoreError();
  co_return value;
}

TEST(Run, GoesOnToItsResultWhateverTheLoopsOwnFunctionsThrow) {
  std::vector<std::string> caught;
  VirtualTimeExecutor executor(Noting(&caught));
  ThrowingEntry entry;

  EXPECT_EQ(*executor->Run(GiveBehindExceptions(&executor->loop(), &entry, 7)),
            7);

  EXPECT_EQ(caught, (std::vector<std::string>{"an entry", "a post"}));
  EXPECT_EQ(executor->stats().detached_exceptions, 1u);
  EXPECT_EQ(executor->stats().loop.post_exceptions, 1u);
}

}  // namespace
}  // namespace ringway
