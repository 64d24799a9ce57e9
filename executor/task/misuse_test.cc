// SPDX-License-Identifier: Apache-2.0
//
// Calls that are allowed once, or up to a time, made twice or too late.
//
// Each used to dereference a null pointer, resume a running coroutine, or
// fail a check of an internal list without naming the object. Tests of a
// feature use it correctly.

#include <memory>
#include <optional>
#include <ostream>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/structured/when.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/interval.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

struct Entry : Runnable {
  Entry() : Runnable([](Runnable&) {}) {}
};

Task<int> Give(int value) { co_return value; }
Task<absl::Status> WaitFor(Event* event) { co_return co_await event->Wait(); }
Task<void> Await(Interval* interval) {
  (co_await interval->Tick()).status().IgnoreError();
}

struct Misuse {
  const char* label;
  const char* message;
  Task<void> (*misuse)();
};

void PrintTo(const Misuse& misuse, std::ostream* out) { *out << misuse.label; }

constexpr char kSpawnedTwice[] =
    "a task was spawned that had been moved from, or awaited before";
constexpr char kMovedFrom[] =
    "a CancelSource or CancelToken was used after it was moved from";

Task<void> SpawnAwaited() {
  Task<int> task = Give(1);
  co_await std::move(task);
  Spawn(std::move(task)).Detach();
}
Task<void> SpawnMovedFrom() {
  Task<int> task = Give(1);
  Task<int> moved = std::move(task);
  Spawn(std::move(task)).Detach();
  co_return;
}
// It waits within another task when it is spawned.
Task<absl::Status> AwaitWhereItIs(Task<absl::Status>* task) {
  co_return co_await std::move(*task);
}
Task<void> SpawnWaiting() {
  Task<absl::Status> task = SleepOnce(absl::Hours(1));
  Spawn(AwaitWhereItIs(&task)).Detach();
  co_await Yield();
  Spawn(std::move(task)).Detach();
}
Task<void> AwaitWaiting() {
  Task<absl::Status> task = SleepOnce(absl::Hours(1));
  Spawn(AwaitWhereItIs(&task)).Detach();
  co_await Yield();
  (co_await std::move(task)).IgnoreError();
}
Task<void> WhenAllOfAwaited() {
  Task<int> task = Give(1);
  co_await std::move(task);
  Task<std::tuple<absl::StatusOr<int>>> all = WhenAll(std::move(task));
  co_await std::move(all);
}
Task<void> ScopeOfAwaited() {
  TaskScope scope;
  Task<int> task = Give(1);
  co_await std::move(task);
  scope.Spawn(std::move(task)).Detach();
  (co_await scope.Join()).IgnoreError();
}

Task<void> DestroyAwaitedEvent() {
  auto event = std::make_unique<Event>();
  Spawn(WaitFor(event.get())).Detach();
  co_await Yield();
  event.reset();
}
Task<absl::Status> WaitForToken(CancelToken* token) {
  co_return co_await token->Cancelled();
}
Task<void> DestroyAwaitedToken() {
  std::optional<CancelSource> source(std::in_place);
  std::optional<CancelToken> token = source->token();
  Spawn(WaitForToken(&*token)).Detach();
  co_await Yield();
  source.reset();
  token.reset();
}
Task<void> DestroyAwaitedInterval() {
  auto interval = std::make_unique<Interval>(absl::Seconds(1));
  Spawn(Await(interval.get())).Detach();
  co_await Yield();
  interval.reset();
}
Task<void> DestroyArmedTimer() {
  Entry entry;
  auto timer = std::make_unique<LoopTimer>();
  timer->on_fired = &entry;
  Executor::Current()->loop().ArmTimer(*timer, MonotonicTime::Infinite());
  timer.reset();
  co_return;
}
Task<void> MakeScope(std::unique_ptr<TaskScope>* scope) {
  *scope = std::make_unique<TaskScope>();
  co_return;
}
Task<void> OutliveTheTaskOfAScope() {
  std::unique_ptr<TaskScope> scope;
  JoinHandle<void> owner = Spawn(MakeScope(&scope));
  (co_await owner).IgnoreError();
}

template <typename T>
T MovedFrom(T& object) {
  return std::move(object);
}
Task<void> UseMovedFromSource() {
  CancelSource source;
  CancelSource moved = MovedFrom(source);
  source.Cancel();
  co_return;
}
Task<void> UseMovedFromToken() {
  CancelToken token = CancelSource().token();
  CancelToken moved = MovedFrom(token);
  token.cancelled();
  co_return;
}
Task<void> WaitForMovedFromToken() {
  CancelToken token = CancelSource().token();
  CancelToken moved = MovedFrom(token);
  (co_await token.Cancelled()).IgnoreError();
}
Task<void> MakeChildOfMovedFromToken() {
  CancelToken token = CancelSource().token();
  CancelToken moved = MovedFrom(token);
  CancelSource child = token.Child();
  co_return;
}
Task<void> WaitForNoToken() {
  (co_await CancelToken().Cancelled()).IgnoreError();
}
Task<void> DestroyItsExecutor() {
  co_await Yield();
  delete Executor::Current();
}
Task<void> SpawnOneThatDestroysItsExecutor() {
  Spawn(DestroyItsExecutor()).Detach();
  (co_await Sleep(absl::Hours(1))).IgnoreError();
}
Task<void> PostTheEndOfItsExecutor() {
  Executor* executor = Executor::Current();
  executor->loop().inbox()->Post([executor] { delete executor; }).IgnoreError();
  (co_await Sleep(absl::Hours(1))).IgnoreError();
}

const Misuse kMisuses[] = {
    {"SpawnAwaited", kSpawnedTwice, &SpawnAwaited},
    {"SpawnMovedFrom", kSpawnedTwice, &SpawnMovedFrom},
    {"SpawnWaiting", kSpawnedTwice, &SpawnWaiting},
    {"WhenAllOfAwaited", kSpawnedTwice, &WhenAllOfAwaited},
    {"ScopeOfAwaited", kSpawnedTwice, &ScopeOfAwaited},
    {"AwaitWaiting",
     "a task was awaited that had been moved from, or awaited before",
     &AwaitWaiting},
    {"DestroyAwaitedEvent", "an Event was destroyed while a task waits for it",
     &DestroyAwaitedEvent},
    {"DestroyAwaitedToken",
     "the last CancelToken of a source was destroyed while a task waits for it",
     &DestroyAwaitedToken},
    {"DestroyAwaitedInterval",
     "an Interval was destroyed while a task waits for its tick",
     &DestroyAwaitedInterval},
    {"DestroyArmedTimer", "a timer was destroyed while armed",
     &DestroyArmedTimer},
    {"OutliveTheTaskOfAScope",
     "a TaskScope, or another CancelListener, outlived its task",
     &OutliveTheTaskOfAScope},
    {"UseMovedFromSource", kMovedFrom, &UseMovedFromSource},
    {"UseMovedFromToken", kMovedFrom, &UseMovedFromToken},
    {"WaitForMovedFromToken", kMovedFrom, &WaitForMovedFromToken},
    {"MakeChildOfMovedFromToken", kMovedFrom, &MakeChildOfMovedFromToken},
    {"WaitForNoToken", "a CancelToken of no source was awaited",
     &WaitForNoToken},
    {"DestroyItsExecutor",
     "an executor was destroyed from inside its own Run\\(\\) or Turn\\(\\)",
     &SpawnOneThatDestroysItsExecutor},
    {"PostTheEndOfItsExecutor",
     "an executor was destroyed from inside its own Run\\(\\) or Turn\\(\\)",
     &PostTheEndOfItsExecutor},
};

class MisuseDeathTest : public testing::TestWithParam<Misuse> {};

TEST_P(MisuseDeathTest, SaysWhichRuleWasBroken) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        executor->Run(GetParam().misuse()).IgnoreError();
      },
      GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Misuses, MisuseDeathTest, testing::ValuesIn(kMisuses),
                         [](const auto& param) { return param.param.label; });

TEST(LoopDeathTest, EndsWithAnArmedTimer) {
  EXPECT_DEATH(
      {
        Entry entry;
        LoopTimer timer;
        timer.on_fired = &entry;
        VirtualTimeExecutor executor;
        executor->loop().ArmTimer(timer, MonotonicTime::Infinite());
        executor.executor.reset();
      },
      "a loop ended while a LoopTimer of it is armed");
}

}  // namespace
}  // namespace ringway
