// SPDX-License-Identifier: Apache-2.0
//
// Diagnostics of tasks: names, parents, waits, and overruns.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/executor/diagnostics/overrun_watch.h"
#include "ringway/executor/diagnostics/task_info.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/task/yield_if_needed.h"
#include "ringway/executor/testing/receive_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Task<absl::Status> WaitFor(Event& event) { co_return co_await event.Wait(); }
Task<absl::Status> Slumber(absl::Duration d) { co_return co_await Sleep(d); }
Task<void> DoNothing() { co_return; }

const TaskInfo& Named(const std::vector<TaskInfo>& tasks,
                      const std::string& name) {
  for (const TaskInfo& task : tasks) {
    if (task.name == name) return task;
  }
  ADD_FAILURE() << "no task is called " << name;
  return tasks.front();
}

Task<std::vector<TaskInfo>> LookAtEachState(Event& event) {
  JoinHandle<absl::Status> waiting = Spawn(WaitFor(event), "waiter");
  JoinHandle<void> ended = Spawn(DoNothing(), "ended");
  co_await Yield();
  const absl::Status slept = co_await Sleep(absl::Seconds(3));
  EXPECT_TRUE(slept.ok());
  JoinHandle<void> fresh = Spawn(DoNothing(), "fresh");
  JoinHandle<absl::Status> woken = Spawn(WaitFor(event), "woken");
  std::vector<TaskInfo> tasks = Executor::Current()->Tasks();
  event.Set();
  const TaskInfo ready = Named(Executor::Current()->Tasks(), "waiter");
  EXPECT_EQ(ready.state, TaskState::kReady);
  EXPECT_TRUE((co_await waiting).ok());
  EXPECT_TRUE((co_await fresh).ok());
  EXPECT_TRUE((co_await woken).ok());
  EXPECT_TRUE((co_await ended).ok());
  co_return tasks;
}

TEST(TaskDump, SaysOfEachTaskInWhatStateItIs) {
  VirtualTimeExecutor executor;
  Event event;
  const auto tasks = executor->Run(LookAtEachState(event));
  ASSERT_TRUE(tasks.ok()) << tasks.status();

  ASSERT_THAT(*tasks, SizeIs(5));
  const TaskInfo& root = Named(*tasks, "");
  EXPECT_EQ(root.state, TaskState::kRunning);
  EXPECT_FALSE(root.parent.valid());
  const TaskInfo& waiter = Named(*tasks, "waiter");
  EXPECT_EQ(waiter.state, TaskState::kWaiting);
  EXPECT_EQ(waiter.waits_for, "an event");
  EXPECT_EQ(waiter.waiting, absl::Seconds(3));
  EXPECT_EQ(waiter.parent, root.id);
  EXPECT_EQ(Named(*tasks, "ended").state, TaskState::kEnded);
  EXPECT_EQ(Named(*tasks, "fresh").state, TaskState::kNotStarted);
}

Task<std::string> DumpOfASleeper() {
  JoinHandle<absl::Status> sleeper =
      Spawn(Slumber(absl::Hours(1)), "the sleeper");
  const absl::Status slept = co_await Sleep(absl::Seconds(2));
  EXPECT_TRUE(slept.ok());
  std::string text = Executor::Current()->DumpTasks();
  sleeper.Cancel();
  EXPECT_TRUE(Named(Executor::Current()->Tasks(), "the sleeper").cancelled);
  EXPECT_TRUE(absl::IsCancelled(co_await sleeper));
  co_return text;
}

TEST(TaskDump, IsALineForEachTask) {
  VirtualTimeExecutor executor;
  const absl::StatusOr<std::string> text = executor->Run(DumpOfASleeper());
  EXPECT_THAT(*text, HasSubstr("#0.1: running\n"));
  EXPECT_THAT(
      *text, HasSubstr("#1.1 \"the sleeper\" of #0.1: waiting 2s for a sleep"));
}

Task<absl::StatusOr<std::string>> ReceiveOne(int fd) {
  char byte;
  co_return co_await ReceiveOp(fd, std::span(&byte, 1));
}

Task<std::string> WhatAReceiveWaitsFor(int fd) {
  JoinHandle<absl::StatusOr<std::string>> receiver =
      Spawn(ReceiveOne(fd), "receiver");
  co_await Yield();
  std::string waits_for =
      Named(Executor::Current()->Tasks(), "receiver").waits_for;
  receiver.Cancel();
  EXPECT_TRUE(absl::IsCancelled((co_await receiver).status()));
  co_return waits_for;
}

TEST(TaskDump, NamesTheOperationAndItsFd) {
  auto executor = Executor::Create();
  if (!executor.ok()) GTEST_SKIP() << executor.status();
  SocketPair sockets;
  const int fd = sockets.near_end.get();
  const auto waits_for = (*executor)->Run(WhatAReceiveWaitsFor(fd));
  EXPECT_EQ(*waits_for, absl::StrCat("recv on fd ", fd));
}

TEST(TaskDump, ALongNameIsCutOff) {
  VirtualTimeExecutor executor;
  JoinHandle<void> task = executor->Spawn(DoNothing(), std::string(100, 'x'));
  EXPECT_EQ(executor->Tasks().at(0).name,
            std::string(TaskContext::kMaxName, 'x'));
}

class NumberNamer : public TaskNamer {
 public:
  explicit NumberNamer(int number) : TaskNamer(&MakeName), number_(number) {}
  static std::string MakeName(const TaskNamer& namer) {
    return absl::StrCat("a rather long name with the number ",
                        static_cast<const NumberNamer&>(namer).number_);
  }

 private:
  const int number_;
};

Task<std::vector<std::string>> NamesOverTime() {
  std::vector<std::string> names;
  const auto note = [&] {
    names.push_back(Executor::Current()->current_task()->Name());
  };
  note();
  {
    NumberNamer one(1);
    note();
    {
      NumberNamer two(2);
      note();
    }
    note();
  }
  note();
  co_return names;
}

TEST(TaskDump, ANameCanBeMadeWhenItIsAskedFor) {
  VirtualTimeExecutor executor;
  auto names = executor->Spawn(NamesOverTime(), "spawned");
  executor->Run(DoNothing()).IgnoreError();
  EXPECT_THAT(*names.TakeResult(),
              ElementsAre("spawned", "a rather long name with the number 1",
                          "a rather long name with the number 2",
                          "a rather long name with the number 1", "spawned"));
}

// --- YieldIfNeeded

// Computes in `n` steps that take so long each.
Task<void> Compute(VirtualTimeExecutor& executor, int n, absl::Duration step) {
  for (int i = 0; i < n; ++i) {
    executor.Advance(step);
    co_await YieldIfNeeded();
  }
}

TEST(YieldIfNeeded, GivesWayOncePerSliceOfTime) {
  ExecutorOptions options;
  options.time_slice = absl::Milliseconds(1);
  VirtualTimeExecutor executor(options);
  EXPECT_TRUE(
      executor->Run(Compute(executor, 100, absl::Microseconds(100))).ok());
  EXPECT_EQ(executor->stats().yields_needed, 10u);
}

TEST(YieldIfNeeded, DoesNotWaitBeforeThat) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(
      executor->Run(Compute(executor, 100, absl::Microseconds(1))).ok());
  EXPECT_EQ(executor->stats().yields_needed, 0u);
}

Task<void> SleepBesideAHog(VirtualTimeExecutor& executor,
                           absl::Duration& late) {
  JoinHandle<void> hog =
      Spawn(Compute(executor, 1'000, absl::Microseconds(100)));
  const MonotonicTime due = executor.Now() + absl::Milliseconds(10);
  const absl::Status slept = co_await Sleep(absl::Milliseconds(10));
  EXPECT_TRUE(slept.ok());
  late = executor.Now() - due;
  EXPECT_TRUE((co_await hog).ok());
}

TEST(YieldIfNeeded, OthersAreDelayedByOneSlice) {
  VirtualTimeExecutor executor;
  absl::Duration late = absl::InfiniteDuration();
  EXPECT_TRUE(executor->Run(SleepBesideAHog(executor, late)).ok());
  EXPECT_LE(late, absl::Milliseconds(2));
}

Task<void> Append(std::vector<int>& order, int number) {
  order.push_back(number);
  co_await YieldIfNeeded();
  order.push_back(number);
}

Task<void> WakeAmongHogs(VirtualTimeExecutor& executor,
                         std::vector<int>& order) {
  JoinHandle<void> first = Spawn(Append(order, 1));
  JoinHandle<void> second = Spawn(Append(order, 2));
  executor.Advance(absl::Seconds(1));
  EXPECT_TRUE((co_await first).ok());
  EXPECT_TRUE((co_await second).ok());
}

// The task that ends the turn is queued behind those that it delayed.
TEST(YieldIfNeeded, LosesNobodyWhoWasReady) {
  VirtualTimeExecutor executor;
  std::vector<int> order;
  EXPECT_TRUE(executor->Run(WakeAmongHogs(executor, order)).ok());
  EXPECT_THAT(order, ElementsAre(1, 2, 2, 1));
}

// --- Overruns

Task<void> Hog(VirtualTimeExecutor& executor, int n) {
  for (int i = 0; i < n; ++i) {
    executor.Advance(absl::Milliseconds(80));
    co_await Yield();
  }
}

Task<void> RunBesideAHog(VirtualTimeExecutor& executor) {
  JoinHandle<void> hog = Spawn(Hog(executor, 3), "hog");
  EXPECT_TRUE((co_await hog).ok());
}

TEST(Overruns, AreCountedAndTheTaskIsNamedWhenItDoesItAgain) {
  std::vector<TaskOverrun> overruns;
  ExecutorOptions options;
  options.on_overrun = [&](const TaskOverrun& o) { overruns.push_back(o); };
  // A turn for each step.
  options.loop.ready_budget = 1;
  VirtualTimeExecutor executor(options);
  EXPECT_TRUE(executor->Run(RunBesideAHog(executor)).ok());

  EXPECT_EQ(executor->stats().overruns, 3u);
  EXPECT_EQ(executor->stats().longest_turn, absl::Milliseconds(80));
  ASSERT_THAT(overruns, SizeIs(2));
  EXPECT_EQ(overruns[0].name, "hog");
  EXPECT_EQ(overruns[0].duration, absl::Milliseconds(80));
}

TEST(Overruns, WithoutAHandlerAreReportedOnceASecond) {
  ExecutorOptions options;
  options.loop.ready_budget = 1;
  VirtualTimeExecutor executor(options);
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(executor->Run(RunBesideAHog(executor)).ok());
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("\"hog\" ran 80ms without suspending"));
  EXPECT_EQ(text.find("ringway: task"), text.rfind("ringway: task"));
}

TEST(Overruns, ABudgetOfNothingIsRefused) {
  ExecutorOptions options;
  options.overrun_budget = absl::ZeroDuration();
  EXPECT_EQ(Executor::Create(options).status().code(),
            absl::StatusCode::kInvalidArgument);
  options = ExecutorOptions();
  options.time_slice = -absl::Milliseconds(1);
  EXPECT_EQ(Executor::Create(options).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// --- Descriptions of an awaitable's own.

int descriptions_made = 0;

class ReceiveFromPeer : public OperationAwait {
 public:
  ReceiveFromPeer(int socket, std::span<char> buffer, std::string peer)
      : OperationAwait(&OnDone, &OnCancel, &Describe), peer_(std::move(peer)) {
    PrepareRecv(*this, socket, std::as_writable_bytes(buffer));
  }
  absl::Status await_resume() const {
    return result < 0 ? absl::CancelledError() : absl::OkStatus();
  }

 private:
  static void OnDone(Runnable& entry) {
    static_cast<ReceiveFromPeer&>(Of(entry)).Complete();
  }
  static void OnCancel(Suspension& suspension) {
    ReceiveFromPeer& self = static_cast<ReceiveFromPeer&>(Of(suspension));
    self.task().loop().Cancel(self);
  }
  static std::string Describe(const Suspension& suspension) {
    ++descriptions_made;
    const auto& self = static_cast<const ReceiveFromPeer&>(Of(suspension));
    return absl::StrCat(OpCodeName(self.opcode), " on ", self.peer_);
  }

  const std::string peer_;
};

Task<absl::Status> ReceiveFrom(int socket, std::string peer) {
  char buffer[8];
  co_return co_await ReceiveFromPeer(socket, buffer, std::move(peer));
}

Task<std::string> DumpAReceive(SocketPair* sockets) {
  descriptions_made = 0;
  JoinHandle<absl::Status> receive =
      Spawn(ReceiveFrom(sockets->near_end.get(), "127.0.0.1:7878"));
  co_await Yield();
  EXPECT_EQ(descriptions_made, 0) << "it costs nothing unless asked for";
  std::string dump = CurrentExecutor().DumpTasks();
  EXPECT_EQ(receive.WaitsFor(), "recv on 127.0.0.1:7878");
  receive.Cancel();
  (co_await receive).IgnoreError();
  EXPECT_EQ(descriptions_made, 2);
  co_return dump;
}

TEST(TaskDump, SaysWhatAnAwaitableKnowsOfItselfWhenAsked) {
  SocketPair sockets;
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  EXPECT_THAT(*(*executor)->Run(DumpAReceive(&sockets)),
              HasSubstr("for recv on 127.0.0.1:7878\n"));
}

// --- What a task runs on.

Task<void> CompareCurrent(Executor* executor) {
  EXPECT_EQ(&CurrentExecutor(), executor);
  EXPECT_EQ(&CurrentLoop(), &executor->loop());
  co_return;
}

TEST(CurrentLoop, IsThatOfTheTask) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CompareCurrent(executor.executor.get())).ok());
}

TEST(CurrentLoopDeathTest, OutsideOfAnExecutorDiesWithAMessage) {
  EXPECT_DEATH(CurrentLoop(), "CurrentLoop.. outside of a running executor");
  EXPECT_DEATH(CurrentExecutor(), "CurrentExecutor.. or CurrentLoop..");
}

}  // namespace
}  // namespace ringway
