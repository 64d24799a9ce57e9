// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/remote/spawn_on.h"

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/remote/wake_handle.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/worker_for_test.h"

namespace ringway {
namespace {

using testing::WorkerForTest;

// Says where it was destroyed, once it holds something.
struct Argument {
  explicit Argument(std::thread::id* id) : destroyed_on(id) {}
  Argument(Argument&& other) noexcept
      : destroyed_on(std::exchange(other.destroyed_on, nullptr)) {}
  ~Argument() {
    if (destroyed_on != nullptr) *destroyed_on = std::this_thread::get_id();
  }
  std::thread::id* destroyed_on;
};

std::unique_ptr<Executor> MakeExecutor(
    absl::Duration grace = absl::Seconds(5)) {
  ExecutorOptions options;
  options.shutdown_grace = grace;
  return *Executor::Create(options);
}

// Runs `task` on an executor of this thread.
template <typename T>
JoinResult<T> RunHere(Task<T> task) {
  return MakeExecutor()->Run(std::move(task));
}

// --- What comes back

Task<std::unique_ptr<std::thread::id>> WhereAmI(std::string text) {
  co_await Yield();
  EXPECT_EQ(text, std::string(100, 'x'));
  co_return std::make_unique<std::thread::id>(std::this_thread::get_id());
}
int Add(int a, int b) { return a + b; }
void Increment(std::atomic<int>* n) { ++*n; }
absl::Status Refuse() { return absl::NotFoundError("not here"); }
Task<absl::StatusOr<int>> GiveOr(int value) { co_return value; }
Task<void> Nothing() { co_return; }

Task<void> CallOfEachKind(ExecutorHandle worker) {
  const std::string text(100, 'x');
  absl::StatusOr<std::unique_ptr<std::thread::id>> where =
      co_await SpawnOn(worker, WhereAmI, text);
  EXPECT_NE(**where, std::this_thread::get_id());
  const absl::StatusOr<int> sum = co_await SpawnOn(worker, Add, 2, 3);
  EXPECT_EQ(*sum, 5);
  std::atomic<int> n{0};
  EXPECT_TRUE((co_await SpawnOn(worker, Increment, &n)).ok());
  EXPECT_EQ(n, 1);
  EXPECT_TRUE(absl::IsNotFound(co_await SpawnOn(worker, Refuse)));
  const absl::StatusOr<int> value = co_await SpawnOn(worker, GiveOr, 7);
  EXPECT_EQ(*value, 7);
  EXPECT_TRUE((co_await SpawnOn(worker, Nothing)).ok());
}

TEST(SpawnOn, BringsBackWhatAFunctionOfAnyKindGives) {
  WorkerForTest worker;
  EXPECT_TRUE(RunHere(CallOfEachKind(worker.handle())).ok());
}

Task<void> CallMyself() {
  const absl::StatusOr<int> sum =
      co_await SpawnOn(ExecutorHandle::Current(), Add, 2, 3);
  EXPECT_EQ(*sum, 5);
}

TEST(SpawnOn, WorksOnTheCallersOwnExecutor) {
  EXPECT_TRUE(RunHere(CallMyself()).ok());
}

Task<int> Throw() {
  co_await Yield();
  throw std::runtime_error("on purpose");
}
int ThrowAtOnce() { throw std::runtime_error("on purpose"); }

Task<void> CatchBoth(ExecutorHandle worker, int* caught) {
  try {
    (co_await SpawnOn(worker, Throw)).IgnoreError();
  } catch (const std::runtime_error& e) {
    *caught += std::string(e.what()) == "on purpose";
  }
  try {
    (co_await SpawnOn(worker, ThrowAtOnce)).IgnoreError();
  } catch (const std::runtime_error& e) {
    *caught += std::string(e.what()) == "on purpose";
  }
}

TEST(SpawnOn, ExceptionIsThrownWhereItIsAwaited) {
  WorkerForTest worker;
  int caught = 0;
  EXPECT_TRUE(RunHere(CatchBoth(worker.handle(), &caught)).ok());
  EXPECT_EQ(caught, 2);
}

Task<void> Append(std::vector<int>* order, int n) {
  order->push_back(n);
  co_return;
}

Task<void> AppendInOrder(ExecutorHandle worker, std::vector<int>* order) {
  for (int i = 0; i < 99; ++i)
    static_cast<void>(SpawnOn(worker, Append, order, i));
  EXPECT_TRUE((co_await SpawnOn(worker, Append, order, 99)).ok());
}

TEST(SpawnOn, CallsOfOneThreadStartInOrderAndRunWithoutTheirHandles) {
  WorkerForTest worker;
  std::vector<int> order;
  EXPECT_TRUE(RunHere(AppendInOrder(worker.handle(), &order)).ok());
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[i], i);
}

TEST(SpawnOn, ThreadWithoutAnExecutorCanCallToo) {
  WorkerForTest worker;
  RemoteHandle<int> handle = SpawnOn(worker.handle(), Add, 1, 2);
  while (!handle.done()) std::this_thread::yield();
  EXPECT_EQ(*handle.TakeResult(), 3);
  EXPECT_FALSE(handle.valid());
  EXPECT_TRUE(absl::IsFailedPrecondition(handle.TakeResult().status()));
}

// --- The target ends

Task<int> Use(Argument argument) {
  static_cast<void>(argument);
  co_return 1;
}

Task<void> CallAStoppedWorker(ExecutorHandle worker, bool* done) {
  std::thread::id where;
  RemoteHandle<int> call = SpawnOn(worker, Use, Argument(&where));
  EXPECT_TRUE(call.done());
  EXPECT_TRUE(absl::IsUnavailable((co_await call).status()));
  EXPECT_EQ(where, std::this_thread::get_id());
  *done = true;
}

TEST(SpawnOn, StoppedTargetIsUnavailableAndTheArgumentsStayHere) {
  WorkerForTest worker;
  worker.Stop();
  bool done = false;
  EXPECT_TRUE(RunHere(CallAStoppedWorker(worker.handle(), &done)).ok());
  EXPECT_TRUE(done);
}

// The call is on its way when the worker ends, on a thread of its own.
TEST(SpawnOn, EndOfTheTargetRefusesWhatIsOnItsWay) {
  std::promise<ExecutorHandle> started;
  std::promise<void> end;
  std::thread other([&] {
    auto executor = MakeExecutor();
    started.set_value(ExecutorHandle(*executor));
    end.get_future().wait();
  });
  std::thread::id where;
  RemoteHandle<int> call =
      SpawnOn(started.get_future().get(), Use, Argument(&where));
  EXPECT_FALSE(call.done());

  end.set_value();
  other.join();

  ASSERT_TRUE(call.done());
  EXPECT_EQ(where, std::thread::id()) << "destroyed by the wrong side";
  EXPECT_TRUE(absl::IsUnavailable(call.TakeResult().status()));
  EXPECT_EQ(where, std::this_thread::get_id());
}

Task<void> HoldUp(Event* released) {
  Shield shield;
  (co_await released->Wait()).IgnoreError();
}

// Both executors are of this thread, so nothing happens between the lines.
TEST(SpawnOn, TargetThatDestroysTheTaskSaysCancelled) {
  auto target = MakeExecutor(absl::ZeroDuration());
  Event never;
  RemoteHandle<void> call = SpawnOn(ExecutorHandle(*target), HoldUp, &never);
  for (int i = 0; i < 3; ++i) target->Turn(MonotonicTime());
  EXPECT_FALSE(call.done());

  target.reset();

  ASSERT_TRUE(call.done());
  EXPECT_TRUE(absl::IsCancelled(call.TakeResult()));
}

TEST(SpawnOn, TargetWithAllItsTasksSaysResourceExhausted) {
  ExecutorOptions options;
  options.max_tasks = 1;
  options.shutdown_grace = absl::ZeroDuration();
  Event never;
  auto target = *Executor::Create(options);
  RemoteHandle<void> first = SpawnOn(ExecutorHandle(*target), HoldUp, &never);
  RemoteHandle<int> second = SpawnOn(ExecutorHandle(*target), Add, 1, 2);
  for (int i = 0; i < 3; ++i) target->Turn(MonotonicTime());
  ASSERT_TRUE(second.done());
  EXPECT_TRUE(absl::IsResourceExhausted(second.TakeResult().status()));
}

// --- Cancelling

struct Progress {
  std::atomic<bool> started{false};
  std::atomic<bool> gone{false};
};

// Takes a while to go.
Task<int> SleepAndTidyUp(Progress* progress) {
  progress->started = true;
  const absl::Status slept = co_await Sleep(absl::Hours(1));
  EXPECT_TRUE(absl::IsCancelled(slept));
  Shield shield;
  for (int i = 0; i < 10; ++i)
    (co_await Sleep(absl::Microseconds(100))).IgnoreError();
  progress->gone = true;
  co_return 42;
}

Task<absl::StatusOr<int>> CallAndWait(ExecutorHandle worker, Progress* p) {
  co_return co_await SpawnOn(worker, SleepAndTidyUp, p);
}

Task<void> CancelTheCaller(ExecutorHandle worker, Progress* progress) {
  JoinHandle<absl::StatusOr<int>> caller = Spawn(CallAndWait(worker, progress));
  while (!progress->started) co_await Yield();
  caller.Cancel();
  const absl::StatusOr<int> result = co_await caller;
  EXPECT_TRUE(progress->gone);
  EXPECT_EQ(*result, 42) << "what it came to all the same is not lost";
}

TEST(SpawnOn, CancelOfTheAwaitingTaskReachesTheOtherAndWaitsForIt) {
  WorkerForTest worker;
  Progress progress;
  EXPECT_TRUE(RunHere(CancelTheCaller(worker.handle(), &progress)).ok());
  EXPECT_TRUE(progress.gone);
  worker.Stop();
  EXPECT_EQ(worker.stats().tasks_alive, 0u);
}

// A cancelled task does not wait, but for what it has to leave behind.
Task<absl::StatusOr<int>> CallOnceCancelled(ExecutorHandle worker,
                                            Progress* p) {
  RemoteHandle<int> call = SpawnOn(worker, SleepAndTidyUp, p);
  while (!p->started) co_await Yield();
  Executor::Current()->current_task()->RequestCancel();
  co_return co_await call;
}

TEST(SpawnOn, TaskThatIsCancelledAlreadyCancelsTheOtherAndWaitsForIt) {
  WorkerForTest worker;
  Progress progress;
  const absl::StatusOr<int> result =
      RunHere(CallOnceCancelled(worker.handle(), &progress));
  EXPECT_TRUE(progress.gone);
  EXPECT_EQ(*result, 42);
}

Task<absl::StatusOr<int>> CancelTheHandle(ExecutorHandle worker, Progress* p) {
  RemoteHandle<int> call = SpawnOn(worker, SleepAndTidyUp, p);
  while (!p->started) co_await Yield();
  call.Cancel();
  call.Cancel();
  co_return co_await call;
}

TEST(SpawnOn, HandleCancelsTheTask) {
  WorkerForTest worker;
  Progress progress;
  EXPECT_EQ(*RunHere(CancelTheHandle(worker.handle(), &progress)), 42);
}

TEST(SpawnOn, TaskThatIsCancelledBeforeItStartsNeverDoes) {
  auto target = MakeExecutor();
  Progress progress;
  std::thread::id where;
  RemoteHandle<int> never =
      SpawnOn(ExecutorHandle(*target), SleepAndTidyUp, &progress);
  RemoteHandle<int> use =
      SpawnOn(ExecutorHandle(*target), Use, Argument(&where));
  never.Cancel();
  use.Cancel();

  for (int i = 0; i < 3; ++i) target->Turn(MonotonicTime());

  ASSERT_TRUE(never.done());
  EXPECT_TRUE(absl::IsCancelled(never.TakeResult().status()));
  EXPECT_FALSE(progress.started);
  ASSERT_TRUE(use.done());
  EXPECT_TRUE(absl::IsCancelled(use.TakeResult().status()));
  EXPECT_EQ(where, std::this_thread::get_id());
}

// --- The caller goes away

Task<int> HoldUntil(WakeHandle* release, std::atomic<bool>* ended) {
  Shield shield;
  Waker waker;
  *release = waker.handle();
  (co_await waker.Wait()).IgnoreError();
  *ended = true;
  co_return 1;
}

Task<void> CallAndIgnore(ExecutorHandle worker, WakeHandle* release,
                         std::atomic<bool>* ended) {
  (co_await SpawnOn(worker, HoldUntil, release, ended)).IgnoreError();
}

// All three on this thread: the caller's frame is destroyed where it waits, and
// the end of the call finds nobody.
TEST(SpawnOn, CallOutlivesTheExecutorOfTheCaller) {
  auto target = MakeExecutor();
  auto caller = MakeExecutor(absl::ZeroDuration());
  WakeHandle release;
  std::atomic<bool> ended{false};
  caller->Spawn(CallAndIgnore(ExecutorHandle(*target), &release, &ended))
      .Detach();
  caller->Turn(MonotonicTime());
  target->Turn(MonotonicTime());

  caller.reset();
  release.Wake();
  for (int i = 0; i < 4; ++i) target->Turn(MonotonicTime());

  EXPECT_TRUE(ended);
  EXPECT_EQ(target->stats().tasks_alive, 0u);
}

TEST(SpawnOn, EndOfTheCallersExecutorCancelsTheCallAndWaits) {
  WorkerForTest worker;
  Progress progress;
  auto caller = MakeExecutor();
  caller->Spawn(CallAndWait(worker.handle(), &progress)).Detach();
  caller->Turn(MonotonicTime());
  while (!progress.started) std::this_thread::yield();

  caller.reset();

  EXPECT_TRUE(progress.gone);
}

// --- Misuse

Task<void> AwaitTwice(RemoteHandle<int>* call) {
  (co_await *call).status().IgnoreError();
}

void AwaitOneHandleTwice() {
  auto executor = MakeExecutor();
  RemoteHandle<int> call = SpawnOn(ExecutorHandle(*executor), Add, 1, 2);
  executor->Spawn(AwaitTwice(&call)).Detach();
  executor->Spawn(AwaitTwice(&call)).Detach();
  executor->Turn(MonotonicTime());
}

TEST(SpawnOnDeathTest, OneHandleCannotBeAwaitedByTwo) {
  EXPECT_DEATH(AwaitOneHandleTwice(), "awaited twice");
}

}  // namespace
}  // namespace ringway
