// SPDX-License-Identifier: Apache-2.0
//
// Every public member of the loop's objects, called from a foreign thread, and
// awaited by a task of another executor.
//
// Only calls that start operations used to be checked. The others - setting
// an event, dropping a handle, waking a task - put a task into the ready
// queue of a loop that was running on another core.

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/operation.h"
#include "ringway/executor/loop/lent_buffer.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/loop/loop_runner.h"
#include "ringway/executor/loop/operation_deadline.h"
#include "ringway/executor/structured/task_scope.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/interval.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

struct Entry : Runnable {
  Entry() : Runnable([](Runnable&) {}) {}
};

struct Listener : CancelListener {
  Listener() : CancelListener([](CancelListener&) {}) {}
};

struct Dependent : Orphan {
  using Orphan::Orphan;
  void OnLoopEnd() override {}
};

Task<void> Nothing() { co_return; }
Task<int> Give(int value) { co_return value; }
Task<absl::Status> WaitFor(Event* event) { co_return co_await event->Wait(); }

// Objects that one task has made and another waits for.
struct Objects {
  Executor& executor = *Executor::Current();
  Loop& loop = executor.loop();
  LoopRunner runner{loop};
  OperationDeadline deadline{loop};
  Operation op{[](Runnable&) {}};
  Entry entry;
  LoopTimer timer;
  TaskContext& task = *executor.current_task();
  Event event;
  Interval interval{absl::Seconds(1)};
  CancelSource source;
  CancelToken token = source.token();
  TaskScope scope;
  JoinHandle<absl::Status> waiting;
  JoinHandle<int> ended;
};

struct Call {
  const char* label;
  const char* object;  // that the message names
  void (*call)(Objects&);
};

void PrintTo(const Call& call, std::ostream* out) { *out << call.label; }

constexpr char kLoop[] = "a loop";
constexpr char kExecutor[] = "an executor";
constexpr char kTask[] = "an executor's task";
constexpr char kHandle[] = "a JoinHandle";
constexpr char kEvent[] = "an Event";
constexpr char kInterval[] = "an Interval";
constexpr char kToken[] = "a CancelSource or CancelToken";
constexpr char kScope[] = "a TaskScope";

// Not tested here, because documented as unchecked: Loop::backend(), inbox()
// and CheckThread(), Executor::loop() and Current(), Interval::period().
const Call kCalls[] = {
    {"LoopStart", kLoop, [](Objects& o) { o.loop.Start(o.op); }},
    {"LoopCancel", kLoop, [](Objects& o) { o.loop.Cancel(o.op); }},
    {"LoopCancelFd", kLoop, [](Objects& o) { o.loop.CancelFd(0); }},
    {"LoopCancelAll", kLoop, [](Objects& o) { o.loop.CancelAll(); }},
    {"LoopSchedule", kLoop, [](Objects& o) { o.loop.Schedule(o.entry); }},
    {"LoopArmTimer", kLoop,
     [](Objects& o) { o.loop.ArmTimer(o.timer, MonotonicTime::Infinite()); }},
    {"LoopDisarmTimer", kLoop, [](Objects& o) { o.loop.DisarmTimer(o.timer); }},
    {"LoopAdopt", kLoop,
     [](Objects& o) { o.loop.Adopt(std::make_unique<Dependent>(o.loop)); }},
    {"LoopTurn", kLoop, [](Objects& o) { o.loop.Turn(o.loop.now()); }},
    {"LoopWork", kLoop, [](Objects& o) { o.loop.Work(); }},
    {"LoopWait", kLoop,
     [](Objects& o) { o.loop.Wait(MonotonicTime::FromNanoseconds(0)); }},
    {"LoopEndWork", kLoop, [](Objects& o) { o.loop.EndWork(); }},
    {"LoopEndWait", kLoop, [](Objects& o) { o.loop.EndWait(); }},
    {"LoopQuiesce", kLoop, [](Objects& o) { o.loop.Quiesce(); }},
    {"LoopNow", kLoop, [](Objects& o) { o.loop.now(); }},
    {"LoopAlive", kLoop, [](Objects& o) { o.loop.alive(); }},
    {"LoopNextTurn", kLoop, [](Objects& o) { o.loop.NextTurn(); }},
    {"LoopStats", kLoop, [](Objects& o) { o.loop.stats(); }},
    {"LentBuffer", "a received buffer",
     [](Objects& o) { LentBuffer lent(o.loop, 0, {}); }},
    {"RunnerRun", kLoop,
     [](Objects& o) { o.runner.Run(RunMode::kNoWait).IgnoreError(); }},
    {"RunnerRunFor", kLoop,
     [](Objects& o) { o.runner.RunFor(absl::ZeroDuration()).IgnoreError(); }},
    {"RunnerStop", kLoop, [](Objects& o) { o.runner.Stop(); }},
    {"DeadlineSet", kLoop,
     [](Objects& o) {
       o.op.state = OpState::kQueued;
       o.deadline.Set(o.op, MonotonicTime::Infinite());
     }},

    {"ExecutorRun", kExecutor,
     [](Objects& o) { o.executor.Run(Nothing()).IgnoreError(); }},
    {"ExecutorTurn", kExecutor,
     [](Objects& o) { o.executor.Turn(MonotonicTime::FromNanoseconds(0)); }},
    {"ExecutorSpawn", kExecutor,
     [](Objects& o) { o.executor.Spawn(Nothing()).Detach(); }},
    {"ExecutorCancel", kExecutor, [](Objects& o) { o.executor.Cancel({}); }},
    {"ExecutorCancelAll", kExecutor,
     [](Objects& o) { o.executor.CancelAll(); }},
    {"ExecutorCurrentTask", kExecutor,
     [](Objects& o) { o.executor.current_task(); }},
    {"ExecutorTasks", kExecutor, [](Objects& o) { o.executor.Tasks(); }},
    {"ExecutorDumpTasks", kExecutor,
     [](Objects& o) { o.executor.DumpTasks(); }},
    {"ExecutorTakeBreak", kExecutor,
     [](Objects& o) { o.executor.TakeBreakIfNeeded(); }},
    {"ExecutorStats", kExecutor, [](Objects& o) { o.executor.stats(); }},
    {"ExecutorEnd", kExecutor, [](Objects& o) { delete &o.executor; }},
    {"TaskWake", kLoop, [](Objects& o) { o.task.Wake(); }},
    {"TaskCancel", kTask, [](Objects& o) { o.task.RequestCancel(); }},

    {"HandleValid", kHandle, [](Objects& o) { o.waiting.valid(); }},
    {"HandleDone", kHandle, [](Objects& o) { o.waiting.done(); }},
    {"HandleException", kHandle, [](Objects& o) { o.ended.exception(); }},
    {"HandleCancel", kHandle, [](Objects& o) { o.waiting.Cancel(); }},
    {"HandleDetach", kHandle, [](Objects& o) { o.waiting.Detach(); }},
    {"HandleId", kHandle, [](Objects& o) { o.waiting.id(); }},
    {"HandleTakeResult", kHandle,
     [](Objects& o) { o.ended.TakeResult().IgnoreError(); }},
    {"HandleMove", kHandle,
     [](Objects& o) { JoinHandle<int> moved = std::move(o.ended); }},
    {"HandleAssign", kHandle, [](Objects& o) { o.waiting = {}; }},
    {"HandleAssignFrom", kHandle,
     [](Objects& o) {
       JoinHandle<int> moved;
       moved = std::move(o.ended);
     }},

    {"EventIsSet", kEvent, [](Objects& o) { o.event.is_set(); }},
    {"EventSet", kEvent, [](Objects& o) { o.event.Set(); }},
    {"EventReset", kEvent, [](Objects& o) { o.event.Reset(); }},

    {"IntervalMake", "an Interval outside of a running executor",
     [](Objects&) { Interval interval(absl::Seconds(1)); }},
    {"IntervalTick", kInterval,
     [](Objects& o) { static_cast<void>(o.interval.Tick()); }},
    {"IntervalReset", kInterval, [](Objects& o) { o.interval.Reset(); }},

    {"TokenCancelled", kToken, [](Objects& o) { o.token.cancelled(); }},
    {"TokenReason", kToken,
     [](Objects& o) { static_cast<void>(o.token.reason().ok()); }},
    {"TokenWait", kToken,
     [](Objects& o) { static_cast<void>(o.token.Cancelled()); }},
    {"TokenChild", kToken,
     [](Objects& o) { static_cast<void>(o.token.Child()); }},
    {"TokenCopy", kToken, [](Objects& o) { CancelToken copy = o.token; }},
    {"TokenAddListener", kToken,
     [](Objects& o) {
       Listener listener;
       o.token.AddListener(listener);
     }},
    {"TokenDrop", kToken,
     [](Objects& o) { CancelToken dropped(std::move(o.token)); }},
    {"SourceCancel", kToken, [](Objects& o) { o.source.Cancel(); }},
    {"SourceCancelled", kToken, [](Objects& o) { o.source.cancelled(); }},
    {"SourceDrop", kToken,
     [](Objects& o) { CancelSource dropped(std::move(o.source)); }},

    {"ScopeMake", "a TaskScope outside of a task",
     [](Objects&) { TaskScope scope; }},
    {"ScopeSpawn", kScope,
     [](Objects& o) { o.scope.Spawn(Nothing()).Detach(); }},
    {"ScopeJoin", kScope,
     [](Objects& o) { static_cast<void>(o.scope.Join()); }},
    {"ScopeWaitForRoom", kScope,
     [](Objects& o) { static_cast<void>(o.scope.WaitForRoom()); }},
    {"ScopeCancel", kScope, [](Objects& o) { o.scope.Cancel(); }},
    {"ScopeCancelled", kScope, [](Objects& o) { o.scope.cancelled(); }},
    {"ScopeSize", kScope, [](Objects& o) { o.scope.size(); }},
    {"ShieldMake", "a Shield outside of a task",
     [](Objects&) { Shield shield; }},
};

Task<void> CallOnAForeignThread(const Call* call) {
  Objects objects;
  objects.waiting = Spawn(WaitFor(&objects.event));
  objects.ended = Spawn(Give(1));
  co_await Yield();
  std::thread([&] { call->call(objects); }).join();
}

class ExecutorDeathTest : public testing::TestWithParam<Call> {};

TEST_P(ExecutorDeathTest, NamesTheObjectThatAForeignThreadUses) {
  const Call& call = GetParam();
  const bool whole =
      std::string(call.object).find("outside") != std::string::npos;
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        executor->Run(CallOnAForeignThread(&call)).IgnoreError();
      },
      std::string(call.object) +
          (whole ? "" : " was used from a foreign thread"));
}

INSTANTIATE_TEST_SUITE_P(Calls, ExecutorDeathTest, testing::ValuesIn(kCalls),
                         [](const auto& param) { return param.param.label; });

// Making the awaitable is free; a task that awaits it is checked.
TEST(EventDeathTest, NamesTheEventThatATaskOfAForeignThreadAwaits) {
  EXPECT_DEATH(
      {
        Event event;
        VirtualTimeExecutor executor;
        executor->Spawn(WaitFor(&event)).Detach();
        executor->Turn(executor.Now());
        std::thread([&] {
          VirtualTimeExecutor foreign;
          foreign->Run(WaitFor(&event)).IgnoreError();
        }).join();
      },
      "an Event was used from a foreign thread");
}

// --- Two executors on one thread: the thread is right, the loop is not.

Task<void> Await(Interval* interval) {
  (co_await interval->Tick()).status().IgnoreError();
}
Task<void> Await(JoinHandle<int>* handle) {
  (co_await *handle).status().IgnoreError();
}
Task<void> MakeInterval(std::unique_ptr<Interval>* out) {
  *out = std::make_unique<Interval>(absl::Seconds(1));
  co_return;
}

TEST(OtherExecutorDeathTest, AnIntervalIsAwaitedByATaskOfAnother) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor owner;
        VirtualTimeExecutor other;
        std::unique_ptr<Interval> interval;
        owner->Run(MakeInterval(&interval)).IgnoreError();
        other->Run(Await(interval.get())).IgnoreError();
      },
      "an Interval was awaited by a task of another executor");
}

TEST(OtherExecutorDeathTest, AJoinHandleIsAwaitedByATaskOfAnother) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor owner;
        VirtualTimeExecutor other;
        JoinHandle<int> handle = owner->Spawn(Give(1));
        other->Run(Await(&handle)).IgnoreError();
      },
      "a task can be joined by tasks of its own executor only");
}

// An Event wakes each task in its own executor: no misuse.
TEST(OtherExecutor, SharesAnEventOfItsThread) {
  Event event;
  VirtualTimeExecutor first, second;
  JoinHandle<absl::Status> one = first->Spawn(WaitFor(&event));
  JoinHandle<absl::Status> other = second->Spawn(WaitFor(&event));
  first->Turn(first.Now());
  second->Turn(second.Now());

  event.Set();

  first->Turn(first.Now());
  EXPECT_TRUE(one.done());
  EXPECT_FALSE(other.done());
  second->Turn(second.Now());
  EXPECT_TRUE(other.done());
}

// --- When a thread has ended, others may use its memory-only objects.

TEST(EventThread, IsThatOfItsFirstWaiterUntilThatHasEnded) {
  Event event;
  std::thread([&] {
    VirtualTimeExecutor executor;
    Task<absl::Status> wait = WaitFor(&event);
    JoinHandle<absl::Status> waiting = executor->Spawn(std::move(wait));
    executor->Turn(executor.Now());
    event.Set();
    executor->Turn(executor.Now());
    EXPECT_TRUE(waiting.done());
  }).join();
  EXPECT_TRUE(event.is_set());
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(WaitFor(&event)).ok());
}

}  // namespace
}  // namespace ringway
