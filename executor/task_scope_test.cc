// SPDX-License-Identifier: Apache-2.0

#include "executor/task_scope.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "executor/event.h"
#include "executor/receive_for_test.h"
#include "executor/shield.h"
#include "executor/sleep.h"
#include "executor/timeout.h"
#include "executor/virtual_time_executor.h"
#include "gtest/gtest.h"

namespace ringway {
namespace {

using absl::StatusCode;

Task<int> GiveAfter(absl::Duration delay, int value) {
  static_cast<void>(co_await Sleep(delay));
  co_return value;
}

Task<absl::Status> FailAfter(absl::Duration delay, absl::Status failure) {
  const absl::Status slept = co_await Sleep(delay);
  co_return slept.ok() ? failure : slept;
}

Task<void> ThrowAfter(absl::Duration delay, std::string what) {
  static_cast<void>(co_await Sleep(delay));
  throw std::runtime_error(what);
}

// Writes its name when it is gone, in upper case if it was cancelled, after
// some cleaning up.
Task<absl::Status> NoteEnd(absl::Duration duration, std::string* log,
                           char name) {
  const absl::Status status = co_await Sleep(duration);
  Shield shield;
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  log->push_back(status.ok() ? name : static_cast<char>(name - 'a' + 'A'));
  co_return status;
}

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

// The last task has ended and the owner is on its way when a stranger, before
// it in the queue, spawns one more.
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
  options.on_detached_exception = [reported](std::exception_ptr) {
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

// --- Cancelling the scope, or one of its tasks.

Task<absl::Status> CancelScope(std::string* log) {
  TaskScope scope;
  JoinHandle<absl::Status> a = scope.Spawn(NoteEnd(absl::Hours(1), log, 'a'));
  scope.Spawn(NoteEnd(absl::Hours(1), log, 'b')).Detach();
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  scope.Cancel();
  absl::Status ended = co_await scope.Join();
  EXPECT_EQ(a.TakeResult().code(), StatusCode::kCancelled);
  co_return ended;
}

TEST(TaskScope, CancelEndsItsTasksAndIsNoFailure) {
  VirtualTimeExecutor executor;
  std::string log;
  EXPECT_TRUE(executor->Run(CancelScope(&log)).ok());
  EXPECT_EQ(log, "BA");
}

Task<absl::Status> FailInCleanUp() {
  static_cast<void>(co_await Sleep(absl::Hours(1)));
  co_return absl::DataLossError("in the clean-up");
}

Task<absl::Status> CancelWhatThenFails() {
  TaskScope scope;
  scope.Spawn(FailInCleanUp()).Detach();
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  scope.Cancel();
  co_return co_await scope.Join();
}

TEST(TaskScope, AnErrorAfterACancelIsAFailureAllTheSame) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(executor->Run(CancelWhatThenFails()),
            absl::DataLossError("in the clean-up"));
}

Task<absl::Status> CancelOneOfTwo(bool before_start) {
  TaskScope scope;
  JoinHandle<int> kept = scope.Spawn(GiveAfter(absl::Seconds(2), 5));
  JoinHandle<absl::Status> cancelled =
      scope.Spawn(FailAfter(absl::Seconds(2), absl::DataLossError("")));
  if (!before_start) static_cast<void>(co_await Sleep(absl::Seconds(1)));
  cancelled.Cancel();
  absl::Status ended = co_await scope.Join();
  EXPECT_EQ(*kept.TakeResult(), 5);
  EXPECT_FALSE(scope.cancelled());
  co_return ended;
}

TEST(TaskScope, ATaskCancelledByItsHandleHasNotFailed) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelOneOfTwo(/*before_start=*/true)).ok());
  EXPECT_TRUE(executor->Run(CancelOneOfTwo(/*before_start=*/false)).ok());
}

Task<void> Note(bool* started) {
  *started = true;
  co_return;
}

Task<absl::Status> SpawnAfterFailure(bool* started) {
  TaskScope scope;
  scope.Spawn(FailAfter(absl::Seconds(1), absl::DataLossError("first")))
      .Detach();
  absl::Status failed = co_await scope.Join();
  JoinHandle<void> refused = scope.Spawn(Note(started));
  absl::Status again = co_await scope.Join();
  EXPECT_EQ(again, failed);
  EXPECT_EQ(refused.TakeResult().code(), StatusCode::kCancelled);
  co_return failed;
}

TEST(TaskScope, ThatHasFailedStartsNothingAnyMore) {
  VirtualTimeExecutor executor;
  bool started = false;
  EXPECT_EQ(executor->Run(SpawnAfterFailure(&started)),
            absl::DataLossError("first"));
  EXPECT_FALSE(started);
}

// --- Cancelling the owner.

Task<absl::Status> WaitBesideAScope(std::string* log) {
  TaskScope scope;
  scope.Spawn(NoteEnd(absl::Hours(1), log, 'a')).Detach();
  // Not in Join(): the scope is told all the same, and before the sleep.
  const absl::Status slept = co_await Sleep(absl::Hours(1));
  EXPECT_EQ(slept.code(), StatusCode::kCancelled);
  EXPECT_TRUE(scope.cancelled());
  co_return co_await scope.Join();
}

Task<absl::Status> CancelAfter(absl::Duration delay, Task<absl::Status> task) {
  JoinHandle<absl::Status> handle = Spawn(std::move(task));
  static_cast<void>(co_await Sleep(delay));
  handle.Cancel();
  co_return co_await handle;
}

TEST(TaskScope, TheOwnersCancelReachesItsTasksWhateverItWaitsFor) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  std::string log;
  Task<absl::Status> owner = WaitBesideAScope(&log);
  EXPECT_EQ(executor->Run(CancelAfter(absl::Seconds(1), std::move(owner))),
            absl::Status(StatusCode::kCancelled, ""));
  EXPECT_EQ(log, "A");
  EXPECT_EQ(executor.Now() - start, absl::Seconds(2));
}

TEST(TaskScope, ADeadlineForTheOwnerEndsAllAndIsReportedAsOne) {
  VirtualTimeExecutor executor;
  std::string log;
  Task<absl::Status> owner = WaitBesideAScope(&log);
  const absl::Status status =
      executor->Run(WithTimeout(absl::Seconds(1), std::move(owner)));
  EXPECT_EQ(status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(log, "A");
}

Task<absl::Status> EndWellInSpiteOfCancels() {
  static_cast<void>(co_await Sleep(absl::Hours(1)));
  co_return absl::OkStatus();
}

Task<absl::Status> JoinWhatEndsWell() {
  TaskScope scope;
  scope.Spawn(EndWellInSpiteOfCancels()).Detach();
  co_return co_await scope.Join();
}

TEST(TaskScope, AnOwnersCancelThatCutNothingShortIsNotReported) {
  VirtualTimeExecutor executor;
  Task<absl::Status> owner = JoinWhatEndsWell();
  EXPECT_TRUE(
      executor->Run(CancelAfter(absl::Seconds(1), std::move(owner))).ok());
}

// Writes its name at the very moment of the cancel.
class NoteCancel : public CancelListener {
 public:
  NoteCancel(std::string* log, char name)
      : CancelListener(&Write), log_(log), name_(name) {
    Executor::Current()->current_task()->AddCancelListener(*this);
  }
  ~NoteCancel() {
    if (linked()) Unlink();
  }

 private:
  static void Write(CancelListener& listener) {
    NoteCancel& self = static_cast<NoteCancel&>(listener);
    self.log_->push_back(self.name_);
  }

  std::string* const log_;
  const char name_;
};

Task<absl::Status> Leaf(std::string* log, char name) {
  NoteCancel note(log, name);
  co_return co_await Sleep(absl::Hours(1));
}

Task<absl::Status> Branch(std::string* log, char name, char leaf) {
  NoteCancel note(log, name);
  TaskScope scope;
  scope.Spawn(Leaf(log, leaf)).Detach();
  co_return co_await scope.Join();
}

Task<absl::Status> Tree(std::string* log) {
  NoteCancel note(log, 't');
  TaskScope outer;
  outer.Spawn(Branch(log, 'a', '1')).Detach();
  outer.Spawn(Branch(log, 'b', '2')).Detach();
  TaskScope inner;
  inner.Spawn(Branch(log, 'c', '3')).Detach();
  const absl::Status inner_ended = co_await inner.Join();
  EXPECT_EQ(inner_ended.code(), StatusCode::kCancelled);
  co_return co_await outer.Join();
}

TEST(TaskScope, ACancelTravelsFromTheInnermostScopeOutwards) {
  VirtualTimeExecutor executor;
  std::string log;
  Task<absl::Status> tree = Tree(&log);
  EXPECT_EQ(
      executor->Run(CancelAfter(absl::Seconds(1), std::move(tree))).code(),
      StatusCode::kCancelled);
  EXPECT_EQ(log, "3c2b1at");
}

Task<absl::Status> ScopeUnderAShield(std::string* log) {
  TaskScope scope;
  scope.Spawn(NoteEnd(absl::Seconds(10), log, 'a')).Detach();
  {
    Shield shield;
    static_cast<void>(co_await Sleep(absl::Seconds(5)));
    EXPECT_FALSE(scope.cancelled());
  }
  EXPECT_TRUE(scope.cancelled());
  co_return co_await scope.Join();
}

TEST(TaskScope, AShieldOfTheOwnerPutsTheCancelOffForItsTasksToo) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  std::string log;
  Task<absl::Status> owner = ScopeUnderAShield(&log);
  EXPECT_EQ(
      executor->Run(CancelAfter(absl::Seconds(1), std::move(owner))).code(),
      StatusCode::kCancelled);
  EXPECT_EQ(log, "A");
  EXPECT_EQ(executor.Now() - start, absl::Seconds(6));
}

Task<absl::Status> ScopeInACancelledTask(bool* started) {
  Executor::Current()->current_task()->RequestCancel();
  TaskScope scope;
  EXPECT_TRUE(scope.cancelled());
  scope.Spawn(Note(started)).Detach();
  co_return co_await scope.Join();
}

TEST(TaskScope, InACancelledTaskStartsNothing) {
  VirtualTimeExecutor executor;
  bool started = false;
  EXPECT_EQ(executor->Run(ScopeInACancelledTask(&started)).code(),
            StatusCode::kCancelled);
  EXPECT_FALSE(started);
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

// --- Over real sockets: no bytes are lost.

Task<absl::StatusOr<std::string>> Receive(int socket) {
  char buffer[64];
  ReceiveOp receive(socket, buffer);
  co_return co_await receive;
}

Task<absl::Status> FailBesideReceivers(SocketPair* quiet, SocketPair* busy,
                                       std::string* first) {
  TaskScope scope;
  JoinHandle<absl::StatusOr<std::string>> a =
      scope.Spawn(Receive(quiet->near_end.get()));
  JoinHandle<absl::StatusOr<std::string>> b =
      scope.Spawn(Receive(busy->near_end.get()));
  scope.Spawn(FailAfter(absl::ZeroDuration(), absl::DataLossError("")))
      .Detach();
  static_cast<void>(co_await Sleep(absl::ZeroDuration()));
  busy->SendFromFarEnd("raced");
  absl::Status ended = co_await scope.Join();
  EXPECT_EQ(a.TakeResult().status().code(), StatusCode::kCancelled);
  const absl::StatusOr<std::string> raced = b.TakeResult();
  if (raced.ok()) *first = *raced;
  co_return ended;
}

TEST(TaskScope, CancelledReceiversLoseNoBytes) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  for (int round = 0; round < 500; ++round) {
    SocketPair quiet, busy;
    std::string received;
    ASSERT_EQ(
        (*executor)->Run(FailBesideReceivers(&quiet, &busy, &received)).code(),
        StatusCode::kDataLoss);
    if (received.empty())
      received = *(*executor)->Run(Receive(busy.near_end.get()));
    ASSERT_EQ(received, "raced");
    quiet.SendFromFarEnd("later");
    ASSERT_EQ(*(*executor)->Run(Receive(quiet.near_end.get())), "later");
  }
}

}  // namespace
}  // namespace ringway
