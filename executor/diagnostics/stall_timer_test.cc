// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/diagnostics/stall_timer.h"

#include <cstdint>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway {
namespace {

constexpr absl::Duration kBudget = absl::Milliseconds(100);
constexpr uint64_t kTurn = 7, kWait = 8, kNextTurn = 9;

MonotonicTime At(int64_t ms) {
  return MonotonicTime::FromNanoseconds(ms * 1'000'000);
}

TEST(StallTimer, ReportsATurnOnceWhenItLastsLongerThanTheBudget) {
  StallTimer timer;
  EXPECT_FALSE(timer.Observe(kTurn, At(1000), kBudget));
  EXPECT_FALSE(timer.Observe(kTurn, At(1100), kBudget));
  EXPECT_TRUE(timer.Observe(kTurn, At(1101), kBudget));
  EXPECT_EQ(timer.since(), At(1000));
  EXPECT_FALSE(timer.Observe(kTurn, At(1102), kBudget));
  EXPECT_FALSE(timer.Observe(kTurn, At(90'000), kBudget));
}

TEST(StallTimer, ReportsTheNextLongTurnToo) {
  StallTimer timer;
  timer.Observe(kTurn, At(1000), kBudget);
  EXPECT_TRUE(timer.Observe(kTurn, At(1101), kBudget));
  EXPECT_FALSE(timer.Observe(kNextTurn, At(1200), kBudget));
  EXPECT_FALSE(timer.Observe(kNextTurn, At(1300), kBudget));
  EXPECT_TRUE(timer.Observe(kNextTurn, At(1301), kBudget));
}

TEST(StallTimer, KnowsThatAWaitIsNoTurn) {
  StallTimer timer;
  timer.Observe(kWait, At(1000), kBudget);
  EXPECT_FALSE(timer.Observe(kWait, At(100'000), kBudget));
  EXPECT_FALSE(timer.Observe(kNextTurn, At(200'000), kBudget));
  EXPECT_FALSE(timer.Observe(kNextTurn, At(200'100), kBudget));
}

TEST(StallTimer, CountsManyShortTurnsAsNone) {
  StallTimer timer;
  for (uint64_t turn = 1; turn < 1000; turn += 2)
    EXPECT_FALSE(timer.Observe(turn, At(99 * turn), kBudget));
}

TEST(StallTimer, SeesNoTurnInALoopThatHasNeverTurned) {
  StallTimer timer;
  EXPECT_FALSE(timer.Observe(0, At(0), kBudget));
  EXPECT_FALSE(timer.Observe(0, At(1'000'000), kBudget));
}

}  // namespace
}  // namespace ringway
