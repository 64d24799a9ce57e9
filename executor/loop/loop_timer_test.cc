// SPDX-License-Identifier: Apache-2.0
//
// Timers of a loop: when they fire, in which order, and what they cost.

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/time/clock.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/testing/loop_fixture.h"

namespace ringway {
namespace {

using testing::Entry;
using testing::kPast;
using testing::LoopTest;

struct TimerProbe {
  TimerProbe(Loop& loop, std::vector<const TimerProbe*>& order)
      : entry([this, &loop, &order] {
          late_by = loop.backend().clock().Now() - timer.deadline();
          order.push_back(this);
        }) {
    timer.on_fired = &entry;
  }
  Entry entry;
  LoopTimer timer;
  absl::Duration late_by = -absl::InfiniteDuration();
};

TEST_F(LoopTest, TimersFireInOrderAndNeverEarly) {
  std::vector<const TimerProbe*> order;
  std::vector<std::unique_ptr<TimerProbe>> probes;
  const MonotonicTime start = loop_->now();
  for (int i = 0; i < 200; ++i) {
    probes.push_back(std::make_unique<TimerProbe>(*loop_, order));
    // Scattered over 20 ms, some of them equal.
    loop_->ArmTimer(probes.back()->timer,
                    start + absl::Microseconds((i * 7'919) % 100 * 200));
  }

  TurnUntil([&] { return order.size() == probes.size(); });

  for (size_t i = 0; i < order.size(); ++i) {
    EXPECT_GE(order[i]->late_by, absl::ZeroDuration());
    if (i == 0) continue;
    const bool equal =
        order[i - 1]->timer.deadline() == order[i]->timer.deadline();
    EXPECT_LE(order[i - 1]->timer.deadline(), order[i]->timer.deadline());
    EXPECT_TRUE(!equal || order[i - 1]->timer.FiresBefore(order[i]->timer));
  }
  EXPECT_EQ(loop_->stats().timers_fired, 200u);
}

TEST_F(LoopTest, DisarmedTimerNeverFires) {
  std::vector<const TimerProbe*> order;
  TimerProbe disarmed(*loop_, order), armed(*loop_, order);
  loop_->ArmTimer(disarmed.timer, loop_->now() + absl::Milliseconds(1));
  loop_->ArmTimer(armed.timer, loop_->now() + absl::Milliseconds(2));

  EXPECT_TRUE(loop_->DisarmTimer(disarmed.timer));
  EXPECT_FALSE(loop_->DisarmTimer(disarmed.timer));
  TurnUntil([&] { return !order.empty(); });

  EXPECT_EQ(order, (std::vector<const TimerProbe*>{&armed}));
}

TEST_F(LoopTest, OverdueTimerFiresInTheNextTurn) {
  std::vector<const TimerProbe*> order;
  TimerProbe probe(*loop_, order);
  loop_->ArmTimer(probe.timer, kPast);

  loop_->Turn(kPast);

  EXPECT_EQ(order.size(), 1u);
}

TEST_F(LoopTest, SaysWhenItsNextTurnIsDue) {
  std::vector<const TimerProbe*> order;
  TimerProbe probe(*loop_, order);
  Entry entry([] {});
  EXPECT_TRUE(loop_->NextTurn().is_infinite());

  const MonotonicTime later = loop_->now() + absl::Hours(1);
  loop_->ArmTimer(probe.timer, later);
  EXPECT_EQ(loop_->NextTurn(), later);
  loop_->Schedule(entry);
  EXPECT_EQ(loop_->NextTurn(), kPast);

  loop_->Turn(kPast);
  loop_->DisarmTimer(probe.timer);
}

TEST_F(LoopTest, TimerArmedAgainBeforeItsEntryRanWakesItOnce) {
  // The timer has fired, its entry waits behind another, and that one arms it
  // again: scheduling the entry a second time would corrupt the ready queue.
  std::unique_ptr<Loop> loop = MakeLoop(/*ready_budget=*/1);
  std::vector<const TimerProbe*> order;
  TimerProbe probe(*loop, order);
  int blockers_run = 0;
  Entry first([&] { ++blockers_run; });
  Entry second([&] {
    ++blockers_run;
    loop->ArmTimer(probe.timer, kPast);
  });
  Entry third([&] { ++blockers_run; });
  loop->ArmTimer(probe.timer, kPast);
  for (Entry* entry : {&first, &second, &third}) loop->Schedule(*entry);

  for (int i = 0; i < 6; ++i) loop->Turn(kPast);

  EXPECT_EQ(blockers_run, 3);
  EXPECT_EQ(order.size(), 1u);
  EXPECT_FALSE(probe.timer.armed());
}

double ThreadCpuMilliseconds() {
  rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  const auto in_ms = [](timeval t) {
    return static_cast<double>(t.tv_sec) * 1e3 +
           static_cast<double>(t.tv_usec) / 1e3;
  };
  return in_ms(usage.ru_utime) + in_ms(usage.ru_stime);
}

TEST_F(LoopTest, OneTimerOfTwoSecondsCostsNextToNothing) {
  // CPU time is what this thread was charged, page faults and the neighbours'
  // interrupts included: the least of a few attempts is what the loop costs.
  constexpr int kAttempts = 5;
  double least_cpu = 1e9;
  for (int i = 0; i < kAttempts && least_cpu >= 1.0; ++i) {
    std::vector<const TimerProbe*> order;
    TimerProbe probe(*loop_, order);
    loop_->Turn(kPast);
    const uint64_t waits_before = loop_->stats().backend.waits;
    const double cpu_before = ThreadCpuMilliseconds();
    loop_->ArmTimer(probe.timer,
                    loop_->backend().clock().Now() + absl::Seconds(2));

    while (order.empty()) loop_->Turn(probe.timer.deadline());

    EXPECT_LE(loop_->stats().backend.waits - waits_before, 3u);
    EXPECT_GE(probe.late_by, absl::ZeroDuration());
    least_cpu = std::min(least_cpu, ThreadCpuMilliseconds() - cpu_before);
  }
  EXPECT_LT(least_cpu, 1.0);
}

}  // namespace
}  // namespace ringway
