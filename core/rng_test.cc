// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/rng.h"

#include "gtest/gtest.h"

namespace ringway {
namespace {

TEST(Rng, GivesTheNumbersOfSplitMix64) {
  Rng rng(1234567);  // the reference implementation's own example
  EXPECT_EQ(rng.Next(), 6457827717110365317u);
  EXPECT_EQ(rng.Next(), 3203168211198807973u);
  EXPECT_EQ(rng.Next(), 9817491932198370423u);
}

TEST(Rng, StaysWithinItsBounds) {
  Rng rng(7);
  bool low = false, high = false;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t n = rng.Between(3, 5);
    ASSERT_GE(n, 3u);
    ASSERT_LE(n, 5u);
    low |= n == 3;
    high |= n == 5;
    ASSERT_LE(rng.Between(absl::ZeroDuration(), absl::Nanoseconds(1)),
              absl::Nanoseconds(1));
  }
  EXPECT_TRUE(low && high);
  EXPECT_EQ(rng.Between(5, 5), 5u);
}

TEST(Rng, ChancesComeAsOftenAsTheySay) {
  Rng rng(7);
  int n = 0;
  for (int i = 0; i < 10'000; ++i) n += rng.Chance(0.25);
  EXPECT_NEAR(n, 2'500, 200);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(rng.Chance(1));
}

TEST(Rng, WhatCannotHappenDrawsNothing) {
  Rng one(7), other(7);
  EXPECT_FALSE(one.Chance(0));
  EXPECT_EQ(one.Next(), other.Next());
}

}  // namespace
}  // namespace ringway
