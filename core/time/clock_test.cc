// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/time/clock.h"

#include <time.h>

#include "gtest/gtest.h"

namespace ringway {
namespace {

TEST(RealClock, ReadsTheKernelsMonotonicClock) {
  timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  const int64_t now = Clock::Real().Now().nanoseconds();
  clock_gettime(CLOCK_MONOTONIC, &after);

  EXPECT_GE(now, before.tv_sec * 1'000'000'000 + before.tv_nsec);
  EXPECT_LE(now, after.tv_sec * 1'000'000'000 + after.tv_nsec);
}

TEST(RealClock, NeverStepsBack) {
  MonotonicTime last = Clock::Real().Now();
  for (int i = 0; i < 10'000; ++i) {
    const MonotonicTime now = Clock::Real().Now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(ManualClock, StandsStillUntilMoved) {
  ManualClock clock(MonotonicTime::FromNanoseconds(100));

  EXPECT_EQ(clock.Now(), clock.Now());
  clock.Advance(absl::Nanoseconds(5));

  EXPECT_EQ(clock.Now(), MonotonicTime::FromNanoseconds(105));
}

TEST(ManualClock, AdvancesToALaterInstantOnly) {
  ManualClock clock(MonotonicTime::FromNanoseconds(100));

  clock.AdvanceTo(MonotonicTime::FromNanoseconds(50));
  EXPECT_EQ(clock.Now(), MonotonicTime::FromNanoseconds(100));
  clock.AdvanceTo(MonotonicTime::FromNanoseconds(150));
  EXPECT_EQ(clock.Now(), MonotonicTime::FromNanoseconds(150));
}

}  // namespace
}  // namespace ringway
