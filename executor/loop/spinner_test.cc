// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/spinner.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway {
namespace {

constexpr absl::Duration kLimit = absl::Microseconds(50);
constexpr absl::Duration kShortWait = absl::Microseconds(60);
constexpr absl::Duration kLongWait = absl::Milliseconds(10);

class SpinnerTest : public ::testing::Test {
 protected:
  // Waits `n` times for `duration` each; whether each was to begin with a spin
  // adds up to the result. Spins end as `pays` says.
  int Wait(int n, absl::Duration duration, bool pays) {
    int n_spins = 0;
    for (int i = 0; i < n; ++i) {
      if (spinner_.ShouldSpin(now_)) {
        ++n_spins;
        spinner_.OnSpun(pays);
      }
      now_ = now_ + duration;
    }
    return n_spins;
  }

  Spinner spinner_{SpinMode::kAdaptive, kLimit};
  MonotonicTime now_;
};

TEST_F(SpinnerTest, OffNeverSpins) {
  spinner_ = Spinner(SpinMode::kOff, kLimit);
  EXPECT_EQ(Wait(1'000, kShortWait, true), 0);
}

TEST_F(SpinnerTest, FixedSpinsBeforeEveryBlock) {
  spinner_ = Spinner(SpinMode::kFixed, kLimit);
  EXPECT_EQ(Wait(1'000, kLongWait, false), 1'000);
  EXPECT_EQ(spinner_.unpaid(), 1'000u);
}

TEST_F(SpinnerTest, BeginsAfterARowOfShortWaitsAndGoesOnWhileItPays) {
  EXPECT_EQ(Wait(16, kShortWait, true), 0);
  EXPECT_EQ(Wait(1'000, kShortWait, true), 1'000);
  EXPECT_EQ(spinner_.paid(), 1'000u);
}

TEST_F(SpinnerTest, SparseTrafficNeverSpins) {
  EXPECT_EQ(Wait(10'000, kLongWait, true), 0);
}

// A request may be two waits, one of them short.
TEST_F(SpinnerTest, NorDoesASparseMixture) {
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_EQ(Wait(1, absl::ZeroDuration(), true), 0);
    EXPECT_EQ(Wait(1, kLongWait, true), 0);
  }
}

TEST_F(SpinnerTest, ASilenceAfterBusyTimesCostsAFewSpins) {
  Wait(1'000, kShortWait, true);
  EXPECT_LE(Wait(10'000, kLongWait, false), 6);
}

TEST_F(SpinnerTest, WhatDoesNotPayIsTriedEverMoreSeldom) {
  Wait(1'000, kShortWait, false);
  const int early = Wait(10'000, kShortWait, false);
  Wait(1'000'000, kShortWait, false);
  const int late = Wait(10'000, kShortWait, false);
  EXPECT_LE(early, 60);
  EXPECT_LE(late, 2);
}

TEST_F(SpinnerTest, IsBackWithinTwentyThousandWaitsOnceItPays) {
  Wait(1'000'000, kShortWait, false);
  EXPECT_GT(Wait(20'000, kShortWait, true), 1'000);
}

TEST_F(SpinnerTest, SpinningGoesOnThroughFewFailures) {
  Wait(100, kShortWait, true);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Wait(1, kShortWait, false), 1);
    EXPECT_EQ(Wait(4, kShortWait, true), 4);
  }
}

TEST(ParseSpinMode, KnowsTheModesByName) {
  EXPECT_EQ(*ParseSpinMode("off"), SpinMode::kOff);
  EXPECT_EQ(*ParseSpinMode("adaptive"), SpinMode::kAdaptive);
  EXPECT_EQ(*ParseSpinMode("fixed"), SpinMode::kFixed);
  EXPECT_EQ(ParseSpinMode("on").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace ringway
