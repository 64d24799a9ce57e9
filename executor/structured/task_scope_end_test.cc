// SPDX-License-Identifier: Apache-2.0
//
// The ends of a TaskScope: WithScope(), the destruction of its owner and of
// its executor; and trees of scopes under random cancels.

#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using absl::StatusCode;

// Counts its instances.
Task<absl::Status> CountedSleep(absl::Duration duration, int* alive) {
  ++*alive;
  const absl::Status slept = co_await Sleep(duration);
  Shield shield;
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  --*alive;
  co_return slept;
}

// --- WithScope.

Task<int> Sum(TaskScope& scope, std::unique_ptr<int> a, int b, int* alive) {
  scope.Spawn(CountedSleep(absl::Seconds(3), alive)).Detach();
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  co_return *a + b;
}

Task<absl::StatusOr<int>> UseSum(int* alive) {
  auto two = std::make_unique<int>(2);
  absl::StatusOr<int> sum = co_await WithScope(Sum, std::move(two), 3, alive);
  EXPECT_EQ(*alive, 0);
  co_return sum;
}

TEST(WithScope, GivesTheBodysValueWhenAllHaveEnded) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  int alive = 0;
  EXPECT_EQ(*executor->Run(UseSum(&alive)), 5);
  EXPECT_EQ(executor.Now() - start, absl::Seconds(4));
}

Task<absl::Status> ReturnEarly(TaskScope& scope, int* alive) {
  scope.Spawn(CountedSleep(absl::Hours(1), alive)).Detach();
  co_await Yield();
  EXPECT_EQ(*alive, 1);
  co_return absl::NotFoundError("early");
}

TEST(WithScope, JoinsWhenTheBodyReturnsEarlyWithAnError) {
  VirtualTimeExecutor executor;
  int alive = 0;
  EXPECT_EQ(executor->Run(WithScope(ReturnEarly, &alive)),
            absl::NotFoundError("early"));
  EXPECT_EQ(alive, 0);
}

Task<absl::Status> Throw(TaskScope& scope, int* alive) {
  scope.Spawn(CountedSleep(absl::Hours(1), alive)).Detach();
  co_await Yield();
  throw std::runtime_error("thrown");
}

TEST(WithScope, JoinsWhenTheBodyThrowsAndThrowsIt) {
  int reported = 0;
  ExecutorOptions options;
  options.on_detached_exception = [&](const std::exception_ptr&) {
    ++reported;
  };
  VirtualTimeExecutor executor(options);
  int alive = 0;
  EXPECT_THROW(static_cast<void>(executor->Run(WithScope(Throw, &alive))),
               std::runtime_error);
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(reported, 0);
}

Task<void> SpawnFailing(TaskScope& scope, absl::Status* own) {
  scope.Spawn(FailAfter(absl::Seconds(1), absl::DataLossError(""))).Detach();
  *own = co_await Sleep(absl::Hours(1));
}

TEST(WithScope, ATasksFailureCancelsTheBody) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  absl::Status own;
  EXPECT_EQ(executor->Run(WithScope(SpawnFailing, &own)).code(),
            StatusCode::kDataLoss);
  EXPECT_EQ(own.code(), StatusCode::kCancelled);
  EXPECT_EQ(executor.Now() - start, absl::Seconds(1));
}

Task<int> FinishByCancel(TaskScope& scope) {
  scope.Spawn(SleepOnce(absl::InfiniteDuration())).Detach();
  co_await Yield();
  scope.Cancel();  // the work is done; the others can end
  co_return 1;
}

TEST(WithScope, ABodyThatCancelsTheRestStillGivesItsValue) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(WithScope(FinishByCancel)), 1);
}

Task<void> CancelAWithScope(int* alive) {
  JoinHandle<absl::Status> handle = Spawn(WithScope(ReturnEarly, alive));
  co_await Yield();
  handle.Cancel();
  const absl::Status status = co_await handle;
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(*alive, 0);
}

TEST(WithScope, WhenCancelledCancelsAndWaits) {
  VirtualTimeExecutor executor;
  int alive = 0;
  EXPECT_TRUE(executor->Run(CancelAWithScope(&alive)).ok());
}

// --- Other ways out.

Task<absl::Status> LeaveWithoutJoin() {
  TaskScope scope;
  scope.Spawn(SleepOnce(absl::Hours(1))).Detach();
  co_return absl::OkStatus();
}

TEST(TaskScopeDeathTest, LeavingOneWhileItsTasksRunDiesWithAMessage) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        static_cast<void>(executor->Run(LeaveWithoutJoin()));
      },
      "a TaskScope was destroyed while its tasks run");
}

TEST(TaskScopeDeathTest, OutsideOfATaskDiesWithAMessage) {
  EXPECT_DEATH(TaskScope scope, "a TaskScope outside of a task");
}

Task<absl::Status> JoinAnothers(TaskScope* scope) {
  co_return co_await scope->Join();
}

Task<absl::Status> LetAnotherJoin() {
  TaskScope scope;
  JoinHandle<absl::Status> other = Spawn(JoinAnothers(&scope));
  co_return co_await other;
}

TEST(TaskScopeDeathTest, JoiningAnotherTasksScopeDiesWithAMessage) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        static_cast<void>(executor->Run(LetAnotherJoin()));
      },
      "joined by the task that made it");
}

// Frames are destroyed roughly in spawn order: the owner's first, while its
// tasks still refer to the scope, and the other way round for a scope that a
// later task has borrowed.
Task<absl::Status> JoinForEver(TaskScope** lent, bool* destroyed) {
  TaskScope scope;
  *lent = &scope;
  struct Note {
    explicit Note(bool* f) : flag(f) {}
    ~Note() { *flag = true; }
    bool* flag;
  };
  Note note(destroyed);
  scope.Spawn(SleepOnce(absl::InfiniteDuration())).Detach();
  scope.Spawn(SleepOnce(absl::InfiniteDuration())).Detach();
  co_return co_await scope.Join();
}

Task<void> StartTwoOwners(TaskScope** lent, bool* first, bool* second) {
  Spawn(JoinForEver(lent, first)).Detach();
  co_await Yield();
  JoinHandle<absl::Status> gone =
      (*lent)->Spawn(SleepOnce(absl::Milliseconds(1)));
  static_cast<void>(co_await gone);
  Spawn(JoinForEver(lent, second)).Detach();
  co_await Yield();
  (*lent)->Spawn(SleepOnce(absl::InfiniteDuration())).Detach();
  co_await Yield();
}

TEST(TaskScope, CanBeDestroyedWithItsExecutorInAnyOrder) {
  bool first = false, second = false;
  TaskScope* lent = nullptr;
  ExecutorOptions options;
  options.shutdown_grace = absl::ZeroDuration();
  {
    VirtualTimeExecutor executor(options);
    EXPECT_TRUE(executor->Run(StartTwoOwners(&lent, &first, &second)).ok());
    EXPECT_FALSE(first);
  }
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
}

TEST(TaskScope, IsCancelledAndJoinedWhenItsExecutorEnds) {
  bool first = false, second = false;
  TaskScope* lent = nullptr;
  {
    VirtualTimeExecutor executor;
    EXPECT_TRUE(executor->Run(StartTwoOwners(&lent, &first, &second)).ok());
  }
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
}

// --- Random trees.

// A random tree of scopes. Its nodes sleep, fail, throw, cancel their scope
// or defer cancels, and each counts its instances. A scope that is destroyed
// while one of its tasks runs aborts the test.
struct Forest {
  explicit Forest(int seed) : random(seed) {}
  int Below(int n) { return static_cast<int>(random() % n); }
  absl::Duration SomeTime() { return absl::Milliseconds(Below(50)); }

  std::minstd_rand random;
  int alive = 0;
  int spawned = 0;
};

struct Counted {
  explicit Counted(Forest* f) : forest(f) { ++forest->alive; }
  ~Counted() { --forest->alive; }
  Forest* forest;
};

Task<absl::Status> Grow(Forest* forest, int depth);

Task<absl::Status> LiveAndEnd(Forest* forest, TaskScope* scope) {
  absl::Status slept = co_await Sleep(forest->SomeTime());
  switch (forest->Below(12)) {
    case 0:
      co_return absl::DataLossError("");
    case 1:
      throw std::runtime_error("thrown");
    case 2:
      scope->Cancel();
      break;
    case 3: {
      Shield shield;
      static_cast<void>(co_await Sleep(forest->SomeTime()));
      break;
    }
    default:
      break;
  }
  co_return slept;
}

Task<absl::Status> Branch(TaskScope& scope, Forest* forest, int depth) {
  Counted counted(forest);
  const int n = depth > 0 ? forest->Below(4) : 0;
  for (int i = 0; i < n; ++i) {
    ++forest->spawned;
    JoinHandle<absl::Status> child = scope.Spawn(Grow(forest, depth - 1));
    if (forest->Below(8) == 0) child.Cancel();
    if (forest->Below(4) == 0) co_await Yield();
  }
  co_return co_await LiveAndEnd(forest, &scope);
}

Task<absl::Status> Grow(Forest* forest, int depth) {
  Counted counted(forest);
  co_return co_await WithScope(Branch, forest, depth);
}

Task<void> CancelAtSomeTime(Forest* forest) {
  JoinHandle<absl::Status> root = Spawn(Grow(forest, 5));
  static_cast<void>(co_await Sleep(forest->SomeTime()));
  if (forest->Below(3) > 0) root.Cancel();
  try {
    static_cast<void>(co_await root);
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "thrown");
  }
  EXPECT_EQ(forest->alive, 0);
}

TEST(TaskScope, RandomTreesUnderRandomCancelsLeaveNobodyBehind) {
  ExecutorOptions options;
  options.on_detached_exception = [](const std::exception_ptr&) {};
  VirtualTimeExecutor executor(options);
  int spawned = 0;
  for (int seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(seed);
    Forest forest(seed);
    ASSERT_TRUE(executor->Run(CancelAtSomeTime(&forest)).ok());
    ASSERT_EQ(executor->stats().tasks_alive, 0u);
    ASSERT_FALSE(executor->loop().alive());
    spawned += forest.spawned;
  }
  EXPECT_GT(spawned, 2000);  // or the trees are no trees
}

}  // namespace
}  // namespace ringway
