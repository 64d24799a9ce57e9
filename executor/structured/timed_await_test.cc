// SPDX-License-Identifier: Apache-2.0
//
// WithTimeout() and WithDeadline() of awaitables that are not tasks.

#include <cerrno>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/executor/structured/limited_await.h"
#include "ringway/executor/structured/select.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/receive_for_test.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using ::testing::HasSubstr;

Task<absl::Status> SleepFor(absl::Duration duration, absl::Duration timeout) {
  co_return co_await WithTimeout(timeout, Sleep(duration));
}

TEST(TimedAwait, GivesTheResultOfAWaitThatEndsInTime) {
  VirtualTimeExecutor executor;
  const MonotonicTime began = executor.Now();
  EXPECT_TRUE(executor->Run(SleepFor(absl::Seconds(1), absl::Seconds(2))).ok());
  EXPECT_EQ(executor.Now() - began, absl::Seconds(1));
  EXPECT_FALSE(executor->loop().alive()) << "a timer was left behind";
}

TEST(TimedAwait, EndsTheWaitAtTheDeadlineAndSaysSo) {
  VirtualTimeExecutor executor;
  const MonotonicTime began = executor.Now();
  EXPECT_EQ(executor->Run(SleepFor(absl::Hours(1), absl::Seconds(5))),
            absl::DeadlineExceededError(
                "deadline of 5s exceeded waiting for a sleep"));
  EXPECT_EQ(executor.Now() - began, absl::Seconds(5));
  EXPECT_FALSE(executor->loop().alive());
}

TEST(TimedAwait, OfInfinityHasNoDeadline) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(
      executor->Run(SleepFor(absl::Hours(1000), absl::InfiniteDuration()))
          .ok());
}

Task<absl::Status> LockWithoutTime(absl::Duration timeout, Event* event) {
  co_return co_await WithTimeout(timeout, event->Wait());
}

// As for a task, which never starts: the result is deterministic.
TEST(TimedAwait, OfZeroOrLessNeverBegins) {
  VirtualTimeExecutor executor;
  Event event;
  event.Set();
  for (absl::Duration timeout :
       {absl::ZeroDuration(), -absl::Seconds(1), -absl::InfiniteDuration()}) {
    EXPECT_EQ(
        executor->Run(LockWithoutTime(timeout, &event)),
        absl::DeadlineExceededError("the deadline had passed before it began"));
  }
}

Task<absl::Status> SleepUntilADeadline() {
  const MonotonicTime deadline = After(absl::Seconds(5));
  static_cast<void>(co_await Sleep(absl::Seconds(2)));
  co_return co_await WithDeadline(deadline, Sleep(absl::Hours(1)));
}

TEST(TimedAwait, WithADeadlineSaysHowMuchOfItWasLeft) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(executor->Run(SleepUntilADeadline()),
            absl::DeadlineExceededError(
                "deadline of 3s exceeded waiting for a sleep"));
}

// The deadline ends one wait; it used to cancel the task.
Task<absl::Status> WaitTwice() {
  const absl::Status first =
      co_await WithTimeout(absl::Seconds(1), Sleep(absl::Hours(1)));
  EXPECT_TRUE(absl::IsDeadlineExceeded(first));
  co_return co_await Sleep(absl::Seconds(1));
}

TEST(TimedAwait, LeavesTheTaskUncancelled) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(WaitTwice()).ok());
}

// --- Cancelled tasks.

Task<void> CancelBeforeTheDeadline(absl::Status* status) {
  JoinHandle<absl::Status> waits =
      Spawn(SleepFor(absl::Hours(1), absl::Seconds(2)));
  static_cast<void>(co_await Sleep(absl::Seconds(1)));
  waits.Cancel();
  *status = co_await waits;
}

TEST(TimedAwait, IsCancelledWithItsTask) {
  VirtualTimeExecutor executor;
  const MonotonicTime began = executor.Now();
  absl::Status status;
  EXPECT_TRUE(executor->Run(CancelBeforeTheDeadline(&status)).ok());
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_EQ(executor.Now() - began, absl::Seconds(1));
  EXPECT_FALSE(executor->loop().alive());
}

Task<absl::Status> WaitOnceCancelled(absl::Duration timeout) {
  (co_await Sleep(absl::Hours(1))).IgnoreError();
  co_return co_await WithTimeout(timeout, Sleep(absl::Hours(1)));
}

Task<void> CancelBeforeTheWait(absl::Duration timeout, absl::Status* status) {
  JoinHandle<absl::Status> waits = Spawn(WaitOnceCancelled(timeout));
  co_await Yield();
  waits.Cancel();
  *status = co_await waits;
}

TEST(TimedAwait, InACancelledTaskIsCancelledWhateverItsDeadline) {
  VirtualTimeExecutor executor;
  for (absl::Duration timeout : {absl::Seconds(1), absl::ZeroDuration()}) {
    absl::Status status;
    EXPECT_TRUE(executor->Run(CancelBeforeTheWait(timeout, &status)).ok());
    EXPECT_TRUE(absl::IsCancelled(status)) << status;
  }
}

// Both in one turn, in either order: the first one determines the result.
class CancelEntry : public Runnable {
 public:
  CancelEntry(Executor* executor, TaskId task)
      : Runnable(&Cancel), executor_(executor), task_(task) {}

 private:
  static void Cancel(Runnable& entry) {
    CancelEntry& self = static_cast<CancelEntry&>(entry);
    self.executor_->Cancel(self.task_);
  }
  Executor* executor_;
  TaskId task_;
};

Task<absl::Status> CancelAtTheDeadline(VirtualTimeExecutor* world,
                                       bool cancel_first) {
  LoopTimer cancel_timer;
  JoinHandle<absl::Status> waits;
  const MonotonicTime deadline = After(absl::Seconds(1));
  waits = Spawn(SleepFor(absl::Hours(1), absl::Seconds(1)));
  CancelEntry entry((*world).executor.get(), waits.id());
  cancel_timer.on_fired = &entry;
  if (!cancel_first) co_await Yield();  // timers fire in the order of arming
  Executor::Current()->loop().ArmTimer(cancel_timer, deadline);
  co_return co_await waits;
}

TEST(TimedAwait, TheFirstOfADeadlineAndACancelInOneTurnIsTheReason) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(absl::IsCancelled(
      executor->Run(CancelAtTheDeadline(&executor, /*cancel_first=*/true))));
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      executor->Run(CancelAtTheDeadline(&executor, /*cancel_first=*/false))));
}

// --- Composition.

Task<absl::Status> Nested(absl::Duration inner, absl::Duration outer) {
  co_return co_await WithTimeout(outer,
                                 WithTimeout(inner, Sleep(absl::Hours(1))));
}

TEST(TimedAwait, NestedTheShorterOneCounts) {
  VirtualTimeExecutor executor;
  EXPECT_THAT(
      std::string(
          executor->Run(Nested(absl::Seconds(1), absl::Seconds(2))).message()),
      HasSubstr("deadline of 1s"));
  EXPECT_THAT(
      std::string(
          executor->Run(Nested(absl::Seconds(2), absl::Seconds(1))).message()),
      HasSubstr("deadline of 1s"));
  EXPECT_FALSE(executor->loop().alive());
}

Task<size_t> RaceTwo() {
  auto first =
      co_await Select(WithTimeout(absl::Seconds(2), Sleep(absl::Hours(1))),
                      WithTimeout(absl::Seconds(1), Sleep(absl::Hours(1))));
  EXPECT_TRUE(absl::IsCancelled(std::get<0>(first.results)));
  EXPECT_TRUE(absl::IsDeadlineExceeded(std::get<1>(first.results)));
  co_return first.index;
}

TEST(TimedAwait, CanBeSelected) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(RaceTwo()), 1u);
}

Task<absl::Status> LimitWhatCannotEnd() {
  co_return co_await WithTimeout(absl::Seconds(1), Yield());
}

TEST(TimedAwait, OfNothingGivesAStatus) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(LimitWhatCannotEnd()).ok());
}

// An awaiter that is a separate object, with a value that is not a status.
struct Answer {
  struct Awaiter {
    explicit Awaiter(int v) : value(v) {}
    Awaiter(const Awaiter&) = delete;
    bool await_ready() const { return true; }
    void await_suspend(std::coroutine_handle<>) const {}
    int await_resume() const { return value; }
    const int value;
  };
  Awaiter operator co_await() const { return Awaiter(42); }
};

Task<absl::StatusOr<int>> LimitAnAnswer(absl::Duration timeout) {
  co_return co_await WithTimeout(timeout, Answer());
}

TEST(TimedAwait, OfAValueGivesAStatusOr) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(LimitAnAnswer(absl::Seconds(1))), 42);
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      executor->Run(LimitAnAnswer(absl::ZeroDuration())).status()));
}

Task<absl::StatusOr<int>> JoinInTime(absl::Duration timeout) {
  JoinHandle<int> handle = Spawn(GiveAfter(absl::Seconds(3), 7));
  absl::StatusOr<int> joined = co_await WithTimeout(timeout, handle);
  if (joined.ok()) co_return joined;
  EXPECT_EQ(joined.status(),
            absl::DeadlineExceededError(
                "deadline of 1s exceeded waiting for the end of a task"));
  EXPECT_TRUE(handle.valid());
  co_return co_await handle;  // the task was not cancelled
}

TEST(TimedAwait, OfAJoinEndsTheWaitAndNotTheTask) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(JoinInTime(absl::Seconds(5))), 7);
  const MonotonicTime began = executor.Now();
  EXPECT_EQ(*executor->Run(JoinInTime(absl::Seconds(1))), 7);
  EXPECT_EQ(executor.Now() - began, absl::Seconds(3));
}

// --- Ends.

TEST(TimedAwait, CanBeDestroyedWithItsExecutor) {
  ExecutorOptions options;
  options.shutdown_grace = absl::ZeroDuration();
  VirtualTimeExecutor executor(options);
  executor->Spawn(SleepFor(absl::InfiniteDuration(), absl::Hours(1))).Detach();
  EXPECT_TRUE(executor->Run(SleepOnce(absl::Seconds(1))).ok());
}

Task<void> DropUnawaited() {
  Event event;
  static_cast<void>(WithTimeout(absl::Seconds(1), event.Wait()));
  co_return;
}

TEST(TimedAwait, ThatIsNeverAwaitedDoesNothing) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(DropUnawaited()).ok());
  EXPECT_FALSE(executor->loop().alive());
}

Task<void> Dump(std::string* dump) {
  JoinHandle<absl::Status> waits =
      Spawn(SleepFor(absl::Hours(1), absl::Seconds(2)), "sleeper");
  co_await Yield();
  *dump = Executor::Current()->DumpTasks();
  static_cast<void>(co_await waits);
}

TEST(TimedAwait, IsDumpedAsWhatItWaitsFor) {
  VirtualTimeExecutor executor;
  std::string dump;
  EXPECT_TRUE(executor->Run(Dump(&dump)).ok());
  EXPECT_THAT(dump, HasSubstr("for a sleep"));
}

// --- Operations: two-phase, and nothing is lost.

Task<absl::StatusOr<std::string>> ReceiveInTime(int socket,
                                                absl::Duration timeout) {
  char buffer[64];
  co_return co_await WithTimeout(timeout, ReceiveOp(socket, buffer));
}

TEST(TimedAwait, NamesTheOperationThatItEnded) {
  SocketPair sockets;
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  const absl::Status status =
      (*executor)
          ->Run(ReceiveInTime(sockets.near_end.get(), absl::Milliseconds(2)))
          .status();
  EXPECT_EQ(status.message(),
            "deadline of 2ms exceeded waiting for recv on fd " +
                std::to_string(sockets.near_end.get()));
}

Task<void> SendSlowly(SocketPair* sockets, std::string bytes,
                      std::minstd_rand* random) {
  for (char byte : bytes) {
    (co_await Sleep(absl::Microseconds((*random)() % 60))).IgnoreError();
    sockets->SendFromFarEnd(std::string(1, byte));
  }
}

Task<std::string> ReceiveAll(SocketPair* sockets, size_t n_bytes,
                             std::minstd_rand* random, int* n_exceeded) {
  std::string received;
  while (received.size() < n_bytes) {
    absl::StatusOr<std::string> bytes = co_await ReceiveInTime(
        sockets->near_end.get(), absl::Microseconds(1 + (*random)() % 40));
    if (bytes.ok()) received += *bytes;
    if (absl::IsDeadlineExceeded(bytes.status())) ++*n_exceeded;
  }
  co_return received;
}

TEST(TimedAwait, OfManyReceivesThatRaceTheirDeadlinesLosesNoByte) {
  SocketPair sockets;
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  std::minstd_rand random(7);
  std::string sent;
  for (int i = 0; i < 500; ++i) sent.push_back(static_cast<char>('a' + i % 26));
  int n_exceeded = 0;
  (*executor)->Spawn(SendSlowly(&sockets, sent, &random)).Detach();
  const absl::StatusOr<std::string> received =
      (*executor)->Run(ReceiveAll(&sockets, sent.size(), &random, &n_exceeded));
  EXPECT_EQ(*received, sent);
  EXPECT_GT(n_exceeded, 0);
}

// An operation that continues after a short transfer, as writes do, must not
// restart when its deadline has passed, even if it transferred bytes.
// Restart() checked the cancel of a task but not the end of a single await.
class ReceiveUntilFull : public OperationAwait {
 public:
  ReceiveUntilFull(int socket, std::span<char> buffer)
      : OperationAwait(&OnDone, [](Suspension&) { /* too late */ }) {
    PrepareRecv(*this, socket, std::as_writable_bytes(buffer));
  }
  absl::Status await_resume() const {
    return result == -ECANCELED ? absl::CancelledError() : absl::OkStatus();
  }

 private:
  static void OnDone(Runnable& entry) {
    OperationAwait& base = Of(entry);
    ReceiveUntilFull& self = static_cast<ReceiveUntilFull&>(base);
    if (self.Restart()) return;
    self.result = -ECANCELED;
    self.Complete();
  }
};

// Its second bytes end the receive after the deadline.
Task<absl::Status> SendTwice(SocketPair* sockets) {
  for (absl::Duration pause : {absl::Milliseconds(1), absl::Milliseconds(20)}) {
    const absl::Status slept = co_await Sleep(pause);
    if (!slept.ok()) co_return slept;
    sockets->SendFromFarEnd("bytes");
  }
  co_return absl::OkStatus();
}

Task<absl::Status> ReceiveForEver(SocketPair* sockets) {
  JoinHandle<absl::Status> sender = Spawn(SendTwice(sockets));
  char buffer[64];
  const absl::Status received = co_await WithTimeout(
      absl::Milliseconds(5), ReceiveUntilFull(sockets->near_end.get(), buffer));
  sender.Cancel();
  (co_await sender).IgnoreError();
  co_return received;
}

TEST(TimedAwait, DoesNotStartAnewWhatEndsAsAShortTransferAfterTheDeadline) {
  SocketPair sockets;
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  EXPECT_TRUE(
      absl::IsDeadlineExceeded((*executor)->Run(ReceiveForEver(&sockets))));
}

}  // namespace
}  // namespace ringway
