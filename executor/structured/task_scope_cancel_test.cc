// SPDX-License-Identifier: Apache-2.0
//
// Cancelling a TaskScope, one of its tasks, or the task that owns it.

#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/receive_for_test.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using absl::StatusCode;

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
  // Not in Join(): the scope is still cancelled, and before the sleep.
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

// Logs its name at the moment of the cancel.
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

Task<absl::Status> Nest(int depth, int* innermost) {
  if (depth == 0) {
    const absl::Status slept = co_await Sleep(absl::InfiniteDuration());
    ++*innermost;
    co_return slept;
  }
  TaskScope scope;
  scope.Spawn(Nest(depth - 1, innermost)).Detach();
  co_return co_await scope.Join();
}

TEST(TaskScope, ACancelReachesThroughAThousandScopesInsideEachOther) {
  VirtualTimeExecutor executor;
  int innermost = 0;
  Task<absl::Status> root = Nest(1000, &innermost);
  EXPECT_EQ(
      executor->Run(CancelAfter(absl::Seconds(1), std::move(root))).code(),
      StatusCode::kCancelled);
  EXPECT_EQ(innermost, 1);
  EXPECT_EQ(executor->stats().tasks_alive, 0u);
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
