// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/sleep.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/testing/timed_tasks_for_test.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

absl::Duration CpuTimeOfThisThread() {
  rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return absl::DurationFromTimeval(usage.ru_utime) +
         absl::DurationFromTimeval(usage.ru_stime);
}

// The only test in real time, because it is about the kernel. Other load on
// the machine can make a single measurement of CPU time too high, so the best
// of three counts.
TEST(Sleep, OfTwoSecondsCostsAtMostThreeWakeUpsAndNoCpu) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  // Warm up, so that only the sleep is measured.
  ASSERT_TRUE((*executor)->Run(SleepOnce(absl::Milliseconds(1))).ok());
  absl::Duration cpu = absl::InfiniteDuration();
  for (int i = 0; i < 3 && cpu >= absl::Milliseconds(1); ++i) {
    const LoopStats before = (*executor)->stats().loop;
    const absl::Duration cpu_before = CpuTimeOfThisThread();
    const MonotonicTime start = Clock::Real().Now();

    ASSERT_TRUE((*executor)->Run(SleepOnce(absl::Seconds(2))).ok());

    cpu = std::min(cpu, CpuTimeOfThisThread() - cpu_before);
    const LoopStats after = (*executor)->stats().loop;
    EXPECT_GE(Clock::Real().Now() - start, absl::Seconds(2));
    EXPECT_LE(after.backend.waits - before.backend.waits, 3u);
    EXPECT_LE(after.turns - before.turns, 4u);
  }
  EXPECT_LT(cpu, absl::Milliseconds(1));
}

TEST(Sleep, TakesItsTimeAndNoMore) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  EXPECT_TRUE(executor->Run(SleepOnce(absl::Hours(1))).ok());
  EXPECT_EQ(executor.Now() - start, absl::Hours(1));
}

Task<absl::Status> SleepAndSay(absl::Duration duration, bool* done) {
  const absl::Status status = co_await Sleep(duration);
  *done = true;
  co_return status;
}

Task<void> SleepBeside(absl::Duration duration) {
  bool done = false;
  JoinHandle<absl::Status> sleeper = Spawn(SleepAndSay(duration, &done));
  co_await Yield();
  EXPECT_FALSE(done);  // a sleep of nothing still gives the turn up
  const absl::Status status = co_await sleeper;
  EXPECT_TRUE(status.ok());
}

TEST(Sleep, OfNothingLastsUntilTheNextTurn) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  EXPECT_TRUE(executor->Run(SleepBeside(absl::ZeroDuration())).ok());
  EXPECT_EQ(executor.Now(), start);
}

TEST(Sleep, OfANegativeTimeLastsUntilTheNextTurn) {
  VirtualTimeExecutor executor;
  const MonotonicTime start = executor.Now();
  EXPECT_TRUE(executor->Run(SleepBeside(-absl::Hours(1))).ok());
  EXPECT_TRUE(executor->Run(SleepBeside(-absl::InfiniteDuration())).ok());
  EXPECT_EQ(executor.Now(), start);
}

Task<absl::Status> CancelAfter(absl::Duration delay, Task<absl::Status> task) {
  JoinHandle<absl::Status> handle = Spawn(std::move(task));
  static_cast<void>(co_await Sleep(delay));
  EXPECT_FALSE(handle.done());
  handle.Cancel();
  co_return co_await handle;
}

TEST(Sleep, OfTheLargestDurationsLastsUntilCancelled) {
  for (absl::Duration duration :
       {absl::InfiniteDuration(), absl::Hours(24) * 365 * 290,
        absl::Nanoseconds(std::numeric_limits<int64_t>::max()),
        absl::Seconds(std::numeric_limits<int64_t>::max())}) {
    VirtualTimeExecutor executor;
    EXPECT_EQ(
        executor->Run(CancelAfter(absl::Hours(24) * 365, SleepOnce(duration)))
            .code(),
        absl::StatusCode::kCancelled)
        << duration;
  }
}

Task<absl::Status> SleepUntilTime(MonotonicTime time) {
  co_return co_await SleepUntil(time);
}

TEST(SleepUntil, EndsWhenTheClockIsThere) {
  VirtualTimeExecutor executor;
  const MonotonicTime then = executor.Now() + absl::Seconds(5);
  EXPECT_TRUE(executor->Run(SleepUntilTime(then)).ok());
  EXPECT_EQ(executor.Now(), then);
  EXPECT_TRUE(executor->Run(SleepUntilTime(MonotonicTime())).ok());
  EXPECT_EQ(executor.Now(), then);
}

// The time at the start of a turn is stale by the length of the turn.
Task<absl::Status> SleepAfterALongTurn(VirtualTimeExecutor* executor,
                                       absl::Duration* slept) {
  executor->Advance(absl::Seconds(3));
  const MonotonicTime start = executor->Now();
  const absl::Status status = co_await Sleep(absl::Seconds(1));
  *slept = executor->Now() - start;
  co_return status;
}

TEST(Sleep, CountsFromNowAndNotFromTheStartOfTheTurn) {
  VirtualTimeExecutor executor;
  absl::Duration slept;
  EXPECT_TRUE(executor->Run(SleepAfterALongTurn(&executor, &slept)).ok());
  EXPECT_EQ(slept, absl::Seconds(1));
}

Task<void> NoteAfter(absl::Duration delay, std::vector<int>* log, int id) {
  static_cast<void>(co_await Sleep(delay));
  log->push_back(id);
}

Task<void> SleepTogether(std::vector<int>* log) {
  JoinHandle<void> a = Spawn(NoteAfter(absl::Seconds(2), log, 1));
  JoinHandle<void> b = Spawn(NoteAfter(absl::Seconds(1), log, 2));
  JoinHandle<void> c = Spawn(NoteAfter(absl::Seconds(2), log, 3));
  JoinHandle<void> d = Spawn(NoteAfter(absl::Seconds(2), log, 4));
  static_cast<void>(co_await a);
  static_cast<void>(co_await b);
  static_cast<void>(co_await c);
  static_cast<void>(co_await d);
}

TEST(Sleep, EqualDeadlinesEndInTheOrderTheyStarted) {
  VirtualTimeExecutor executor;
  std::vector<int> log;
  EXPECT_TRUE(executor->Run(SleepTogether(&log)).ok());
  EXPECT_EQ(log, (std::vector<int>{2, 1, 3, 4}));
}

// Runtimes that poll a whole tree of futures on each wake-up have let a child's
// wake-up end its parent's sleep.
Task<absl::Duration> SleepWhileAChildEnds(const Clock* clock) {
  const MonotonicTime start = clock->Now();
  JoinHandle<absl::Status> child = Spawn(SleepOnce(absl::Milliseconds(50)));
  const absl::Status slept = co_await Sleep(absl::Seconds(1));
  EXPECT_TRUE(slept.ok());
  EXPECT_TRUE(child.done());
  co_return clock->Now() - start;
}

TEST(Sleep, OfAParentIsNotCutShortByTheEndOfAChild) {
  VirtualTimeExecutor executor;
  EXPECT_EQ(*executor->Run(SleepWhileAChildEnds(&executor.clock())),
            absl::Seconds(1));
}

// The timer fires and the cancel comes in one turn: the sleep was whole.
Task<void> CancelASleeperWhoseTimeHasCome() {
  JoinHandle<absl::Status> sleeper = Spawn(SleepOnce(absl::Seconds(1)));
  const absl::Status own = co_await Sleep(absl::Seconds(1));
  EXPECT_TRUE(own.ok());
  EXPECT_FALSE(sleeper.done());  // behind us in the ready queue
  sleeper.Cancel();
  const absl::Status status = co_await sleeper;
  EXPECT_TRUE(status.ok());
}

TEST(Sleep, WhoseTimeHasComeIsNotUndoneByACancel) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelASleeperWhoseTimeHasCome()).ok());
}

Task<void> NoteYields(std::vector<std::string>* log, std::string name) {
  for (int i = 0; i < 3; ++i) {
    log->push_back(name + std::to_string(i));
    co_await Yield();
  }
}

Task<void> YieldTogether(std::vector<std::string>* log) {
  JoinHandle<void> a = Spawn(NoteYields(log, "a"));
  JoinHandle<void> b = Spawn(NoteYields(log, "b"));
  static_cast<void>(co_await a);
  static_cast<void>(co_await b);
}

TEST(Yield, LetsEverybodyElseRunFirst) {
  VirtualTimeExecutor executor;
  std::vector<std::string> log;
  EXPECT_TRUE(executor->Run(YieldTogether(&log)).ok());
  EXPECT_EQ(log,
            (std::vector<std::string>{"a0", "b0", "a1", "b1", "a2", "b2"}));
}

Task<int> YieldTenTimes() {
  int n = 0;
  for (; n < 10; ++n) co_await Yield();
  co_return n;
}

Task<void> CancelAYielder() {
  JoinHandle<int> yielder = Spawn(YieldTenTimes());
  co_await Yield();
  yielder.Cancel();
  const absl::StatusOr<int> n = co_await yielder;
  EXPECT_EQ(*n, 10);
}

TEST(Yield, IsNoCancellationPoint) {
  VirtualTimeExecutor executor;
  EXPECT_TRUE(executor->Run(CancelAYielder()).ok());
}

}  // namespace
}  // namespace ringway
