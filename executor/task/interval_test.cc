// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/interval.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

constexpr absl::Duration kPeriod = absl::Seconds(10);

// A tick as a test sees it.
struct Seen {
  Seen(absl::Duration w, uint64_t m) : when(w), missed(m) {}
  bool operator==(const Seen&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Seen& seen) {
    return out << seen.when << " missed " << seen.missed;
  }

  absl::Duration when;  // since the start of the interval
  uint64_t missed;
};

// Takes `n` ticks.
Task<void> TakeTicks(Interval* interval, const Clock* clock,
                     std::vector<Seen>* seen, int n) {
  const MonotonicTime start = clock->Now();
  for (int i = 0; i < n; ++i) {
    const absl::StatusOr<uint64_t> missed = co_await interval->Tick();
    EXPECT_TRUE(missed.ok());
    seen->emplace_back(clock->Now() - start, *missed);
  }
}

Task<void> TickFourTimes(const Clock* clock, std::vector<Seen>* seen) {
  Interval interval(kPeriod);
  co_await TakeTicks(&interval, clock, seen, 4);
}

TEST(Interval, TicksAtEveryPeriodTheFirstAfterOne) {
  VirtualTimeExecutor executor;
  std::vector<Seen> seen;
  EXPECT_TRUE(executor->Run(TickFourTimes(&executor.clock(), &seen)).ok());
  EXPECT_EQ(
      seen,
      (std::vector<Seen>{
          {kPeriod, 0}, {2 * kPeriod, 0}, {3 * kPeriod, 0}, {4 * kPeriod, 0}}));
}

// Each tick is followed by work; late ones catch up with the grid.
Task<void> WorkBetweenTicks(VirtualTimeExecutor* executor,
                            std::vector<Seen>* seen,
                            std::vector<absl::Duration> works) {
  const MonotonicTime start = executor->Now();
  Interval interval(kPeriod);
  for (absl::Duration work : works) {
    executor->Advance(work);
    const absl::StatusOr<uint64_t> missed = co_await interval.Tick();
    seen->emplace_back(executor->Now() - start, *missed);
  }
}

TEST(Interval, DoesNotDriftWhenWorkTakesTime) {
  VirtualTimeExecutor executor;
  std::vector<Seen> seen;
  std::vector<absl::Duration> works(5, absl::Seconds(7));
  EXPECT_TRUE(executor->Run(WorkBetweenTicks(&executor, &seen, works)).ok());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(seen[i], Seen((i + 1) * kPeriod, 0));
}

TEST(Interval, ThatIsLateTicksOnceAndSaysHowManyItMissed) {
  VirtualTimeExecutor executor;
  std::vector<Seen> seen;
  std::vector<absl::Duration> works = {absl::Seconds(47), absl::Seconds(1),
                                       absl::Seconds(1)};
  EXPECT_TRUE(executor->Run(WorkBetweenTicks(&executor, &seen, works)).ok());
  // Due at 10 s, taken at 47 s: those of 20, 30 and 40 s were missed.
  EXPECT_EQ(seen, (std::vector<Seen>{{absl::Seconds(47), 3},
                                     {absl::Seconds(50), 0},
                                     {absl::Seconds(60), 0}}));
}

TEST(Interval, ATickLessThanAPeriodLateHasMissedNone) {
  VirtualTimeExecutor executor;
  std::vector<Seen> seen;
  const absl::Duration almost = 2 * kPeriod - absl::Nanoseconds(1);
  std::vector<absl::Duration> works = {almost, absl::ZeroDuration()};
  EXPECT_TRUE(executor->Run(WorkBetweenTicks(&executor, &seen, works)).ok());
  EXPECT_EQ(seen, (std::vector<Seen>{{almost, 0}, {2 * kPeriod, 0}}));
}

TEST(Interval, TakenExactlyOnePeriodLateHasMissedOne) {
  VirtualTimeExecutor executor;
  std::vector<Seen> seen;
  std::vector<absl::Duration> works = {2 * kPeriod, absl::ZeroDuration()};
  EXPECT_TRUE(executor->Run(WorkBetweenTicks(&executor, &seen, works)).ok());
  EXPECT_EQ(seen, (std::vector<Seen>{{2 * kPeriod, 1}, {3 * kPeriod, 0}}));
}

TEST(Interval, IsNeverEarlyHoweverOddThePeriod) {
  VirtualTimeExecutor executor;
  struct Local {
    static Task<void> TickOften(const Clock* clock, absl::Duration period) {
      const MonotonicTime start = clock->Now();
      Interval interval(period);
      int64_t due = 0;
      for (int i = 0; i < 1000; ++i) {
        const absl::StatusOr<uint64_t> missed = co_await interval.Tick();
        due += 1 + static_cast<int64_t>(*missed);
        EXPECT_GE(clock->Now() - start, due * period);
      }
    }
  };
  for (int64_t ns : {1, 3, 999, 1'000'001, 999'999'999}) {
    EXPECT_TRUE(
        executor
            ->Run(Local::TickOften(&executor.clock(), absl::Nanoseconds(ns)))
            .ok());
  }
}

// --- Reset.

Task<void> ResetBeforeIt(const Clock* clock, std::vector<Seen>* seen) {
  Interval interval(kPeriod);
  JoinHandle<void> ticker = Spawn(TakeTicks(&interval, clock, seen, 2));
  static_cast<void>(co_await Sleep(absl::Seconds(4)));
  interval.Reset();
  static_cast<void>(co_await ticker);
}

TEST(Interval, ResetBeforeATickPutsItOff) {
  VirtualTimeExecutor executor;
  std::vector<Seen> seen;
  EXPECT_TRUE(executor->Run(ResetBeforeIt(&executor.clock(), &seen)).ok());
  EXPECT_EQ(seen, (std::vector<Seen>{{absl::Seconds(14), 0},
                                     {absl::Seconds(24), 0}}));
}

// In the turn of the tick, before the waiting task runs: the timer has fired
// and the task is scheduled.
Task<void> ResetInItsTurn(const Clock* clock, std::vector<Seen>* seen) {
  Interval interval(kPeriod);
  JoinHandle<absl::Status> resetter;
  struct Local {
    static Task<absl::Status> ResetAtTheTick(Interval* interval) {
      const absl::Status slept = co_await Sleep(kPeriod);
      interval->Reset();
      co_return slept;
    }
  };
  resetter = Spawn(Local::ResetAtTheTick(&interval));
  co_await Yield();  // its timer comes first
  JoinHandle<void> ticker = Spawn(TakeTicks(&interval, clock, seen, 2));
  static_cast<void>(co_await ticker);
  static_cast<void>(co_await resetter);
}

TEST(Interval, ResetWhileATickIsComingLeavesThatOneAndOneForTheReset) {
  VirtualTimeExecutor executor;
  std::vector<Seen> seen;
  EXPECT_TRUE(executor->Run(ResetInItsTurn(&executor.clock(), &seen)).ok());
  EXPECT_EQ(seen, (std::vector<Seen>{{kPeriod, 0}, {2 * kPeriod, 0}}));
}

Task<void> ResetAfterIt(VirtualTimeExecutor* executor,
                        std::vector<Seen>* seen) {
  const MonotonicTime start = executor->Now();
  Interval interval(kPeriod);
  for (int i = 0; i < 2; ++i) {
    executor->Advance(absl::Seconds(33));  // three ticks are due, ...
    interval.Reset();                      // ... and forgotten
    const absl::StatusOr<uint64_t> missed = co_await interval.Tick();
    seen->emplace_back(executor->Now() - start, *missed);
  }
}

TEST(Interval, ResetAfterTicksForgetsThoseThatWereMissed) {
  VirtualTimeExecutor executor;
  std::vector<Seen> seen;
  EXPECT_TRUE(executor->Run(ResetAfterIt(&executor, &seen)).ok());
  EXPECT_EQ(seen, (std::vector<Seen>{{absl::Seconds(43), 0},
                                     {absl::Seconds(86), 0}}));
}

// --- Cancelling.

Task<absl::Status> TickOnce(Interval* interval) {
  const absl::StatusOr<uint64_t> missed = co_await interval->Tick();
  co_return missed.status();
}

Task<void> CancelATick(const Clock* clock, std::vector<Seen>* seen) {
  Interval interval(kPeriod);
  JoinHandle<void> next;
  const MonotonicTime start = clock->Now();
  JoinHandle<absl::Status> ticker = Spawn(TickOnce(&interval));
  static_cast<void>(co_await Sleep(absl::Seconds(4)));
  ticker.Cancel();
  const absl::Status status = co_await ticker;
  EXPECT_TRUE(absl::IsCancelled(status));
  const absl::StatusOr<uint64_t> missed = co_await interval.Tick();
  seen->emplace_back(clock->Now() - start, *missed);
}

TEST(Interval, ATickThatWasCancelledIsTheNextOnesToTake) {
  VirtualTimeExecutor executor;
  std::vector<Seen> seen;
  EXPECT_TRUE(executor->Run(CancelATick(&executor.clock(), &seen)).ok());
  EXPECT_EQ(seen, (std::vector<Seen>{{kPeriod, 0}}));
  EXPECT_FALSE(executor->loop().alive());
}

TEST(Interval, InACancelledTaskFailsAtOnce) {
  VirtualTimeExecutor executor;
  struct Local {
    static Task<absl::Status> Tick() {
      Interval interval(kPeriod);
      Executor::Current()->current_task()->RequestCancel();
      co_return co_await TickOnce(&interval);
    }
  };
  const MonotonicTime start = executor.Now();
  EXPECT_TRUE(absl::IsCancelled(executor->Run(Local::Tick())));
  EXPECT_EQ(executor.Now(), start);
}

TEST(Interval, CanBeDestroyedWithItsExecutor) {
  ExecutorOptions options;
  options.shutdown_grace = absl::ZeroDuration();
  VirtualTimeExecutor executor(options);
  struct Local {
    static Task<void> Start(const Clock* clock, std::vector<Seen>* seen) {
      Spawn(TickFourTimes(clock, seen)).Detach();
      static_cast<void>(co_await Sleep(kPeriod * 1.5));
    }
  };
  std::vector<Seen> seen;
  EXPECT_TRUE(executor->Run(Local::Start(&executor.clock(), &seen)).ok());
  EXPECT_EQ(seen.size(), 1u);
}

// --- Misuse.

Task<void> TickTwiceAtATime() {
  Interval interval(kPeriod);
  JoinHandle<absl::Status> first = Spawn(TickOnce(&interval));
  JoinHandle<absl::Status> second = Spawn(TickOnce(&interval));
  static_cast<void>(co_await first);
  static_cast<void>(co_await second);
}

TEST(IntervalDeathTest, AwaitedByTwoTasksDiesWithAMessage) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        static_cast<void>(executor->Run(TickTwiceAtATime()));
      },
      "two tasks await one Interval");
}

Task<void> MakeInterval(absl::Duration period) {
  Interval interval(period);
  co_return;
}

TEST(IntervalDeathTest, WithoutAPeriodDiesWithAMessage) {
  EXPECT_DEATH(
      {
        VirtualTimeExecutor executor;
        static_cast<void>(executor->Run(MakeInterval(absl::ZeroDuration())));
      },
      "a period of at least a nanosecond");
}

TEST(Interval, WithAnInfinitePeriodNeverTicks) {
  VirtualTimeExecutor executor;
  struct Local {
    static Task<void> Wait() {
      Interval interval(absl::InfiniteDuration());
      JoinHandle<absl::Status> ticker = Spawn(TickOnce(&interval));
      static_cast<void>(co_await Sleep(absl::Hours(1000)));
      EXPECT_FALSE(ticker.done());
      ticker.Cancel();
      const absl::Status status = co_await ticker;
      EXPECT_TRUE(absl::IsCancelled(status));
    }
  };
  EXPECT_TRUE(executor->Run(Local::Wait()).ok());
}

}  // namespace
}  // namespace ringway
