// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/text.h"

#include <limits>

#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(TextTest, ATimeHasThreeDigitsAndAUnit) {
  EXPECT_EQ(TimeText(0), "0");
  EXPECT_EQ(TimeText(0.85), "850 ns");
  EXPECT_EQ(TimeText(12.54), "12.5 us");
  EXPECT_EQ(TimeText(999), "999 us");
  EXPECT_EQ(TimeText(999.6), "1 ms");
  EXPECT_EQ(TimeText(1'254), "1.25 ms");
  EXPECT_EQ(TimeText(2'000'000), "2 s");
  EXPECT_EQ(TimeText(3'600'000'000), "3600 s");
}

TEST(TextTest, ARateHasThreeDigits) {
  EXPECT_EQ(RateText(0), "0");
  EXPECT_EQ(RateText(950), "950");
  EXPECT_EQ(RateText(12'540), "12.5k");
  EXPECT_EQ(RateText(999'600), "1M");
  EXPECT_EQ(RateText(1'250'000), "1.25M");
}

TEST(TextTest, WhatIsNoNumberIsZero) {
  for (const double value : {kNan, kInfinity, -kInfinity, -1.0}) {
    EXPECT_EQ(TimeText(value), "0");
    EXPECT_EQ(RateText(value), "0");
  }
}

}  // namespace
}  // namespace ringway::loadgen
