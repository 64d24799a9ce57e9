// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/plot/axis.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

TEST(AxisTest, ALinearOneEndsAtARoundValue) {
  const Axis axis = Axis::Linear(870, 5);
  EXPECT_THAT(axis.ticks(), ElementsAre(0, 200, 400, 600, 800, 1'000));
  EXPECT_EQ(axis.Position(0), 0);
  EXPECT_EQ(axis.Position(250), 0.25);
  EXPECT_EQ(axis.Position(1'000), 1);
}

TEST(AxisTest, ALinearOneMayEndWhereTheValuesEnd) {
  const Axis axis = Axis::LinearTo(5.3, 6);
  EXPECT_THAT(axis.ticks(), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(axis.high(), 5.3);
}

TEST(AxisTest, ALogarithmicOneIsEvenByFactor) {
  const Axis axis = Axis::Logarithmic(10, 1'000);
  EXPECT_NEAR(axis.Position(10), 0, 1e-9);
  EXPECT_NEAR(axis.Position(100), 0.5, 1e-9);
  EXPECT_NEAR(axis.Position(1'000), 1, 1e-9);
  EXPECT_THAT(axis.ticks(),
              Pointwise(DoubleNear(1e-6),
                        {10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1'000.0}));
}

TEST(AxisTest, AWideLogarithmicOneHasTicksAtPowersOfTen) {
  const Axis axis = Axis::Logarithmic(13, 950'000);
  EXPECT_EQ(axis.low(), 10);
  EXPECT_NEAR(axis.high(), 1e6, 1);
  EXPECT_EQ(axis.ticks().size(), 6u);
}

TEST(AxisTest, EachNineHasTheSameRoom) {
  const Axis axis = Axis::Nines(1e4);
  EXPECT_THAT(axis.ticks(), ElementsAre(1, 2, 10, 100, 1'000, 10'000));
  EXPECT_NEAR(axis.Position(10), 0.25, 1e-9);
  EXPECT_NEAR(axis.Position(100), 0.5, 1e-9);
  EXPECT_EQ(Axis::Nines(0).high(), 10);
}

TEST(AxisTest, LatenciesAreLogarithmicIfTheyDifferMuch) {
  EXPECT_FALSE(Axis::ForLatencies(50, 400, 5).is_logarithmic());
  EXPECT_EQ(Axis::ForLatencies(50, 400, 5).low(), 0);
  EXPECT_TRUE(Axis::ForLatencies(50, 4'000, 5).is_logarithmic());
}

TEST(AxisTest, ValuesOutsideAreMovedToTheEnds) {
  const Axis axis = Axis::Logarithmic(10, 1'000);
  EXPECT_EQ(axis.Position(0), 0);
  EXPECT_EQ(axis.Position(1e9), 1);
  EXPECT_EQ(axis.Position(std::nan("")), 0);
}

TEST(AxisTest, AnyValuesMakeAnAxis) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double low :
       {0.0, -1.0, 1e-12, 7.0, 1e300, std::nan(""), infinity}) {
    for (const double high :
         {0.0, -1.0, 1e-12, 7.0, 1e300, std::nan(""), infinity}) {
      for (const Axis& axis : {Axis::Linear(high, 5), Axis::LinearTo(high, 5),
                               Axis::Logarithmic(low, high), Axis::Nines(high),
                               Axis::ForLatencies(low, high, 5)}) {
        EXPECT_LT(axis.low(), axis.high());
        EXPECT_LE(axis.ticks().size(), 40u);
        EXPECT_FALSE(axis.ticks().empty());
        for (const double tick : axis.ticks())
          EXPECT_TRUE(std::isfinite(axis.Position(tick)));
      }
    }
  }
}

}  // namespace
}  // namespace ringway::loadgen
