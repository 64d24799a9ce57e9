// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/percentiles.h"

#include <cmath>

#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

TEST(PercentilesTest, AscendAndContainTheNamedOnes) {
  Histogram ns;
  for (uint64_t i = 1; i <= 100'000; ++i) ns.Record(i * 1'000);
  const std::vector<PercentilePoint> curve = PercentileCurve(ns);
  for (size_t i = 1; i < curve.size(); ++i) {
    EXPECT_LT(curve[i - 1].percentile, curve[i].percentile);
    EXPECT_LE(curve[i - 1].us, curve[i].us);
  }
  for (const double p : kNamedPercentiles) {
    EXPECT_EQ(ValueAt(curve, p),
              static_cast<double>(ns.ValueAtPercentile(p)) / 1000)
        << p;
  }
  EXPECT_EQ(curve.front().us, 1.0);
  EXPECT_EQ(curve.back().us, 100'000.0);
  EXPECT_LT(curve.size(), 90u);
}

TEST(PercentilesTest, OfOneRequestAreItsLatency) {
  Histogram ns;
  ns.Record(2'500);
  for (const PercentilePoint& point : PercentileCurve(ns))
    EXPECT_EQ(point.us, 2.5);
}

TEST(PercentilesTest, OfNoRequestsAreZero) {
  const std::vector<PercentilePoint> curve = PercentileCurve(Histogram());
  ASSERT_EQ(curve.size(), kNamedPercentiles.size());
  for (const PercentilePoint& point : curve) EXPECT_EQ(point.us, 0);
  EXPECT_EQ(ValueAt({}, 50), 0);
}

TEST(PercentilesTest, BetweenTwoPointsAreInterpolated) {
  const std::vector<PercentilePoint> curve = {{50, 10}, {90, 30}};
  EXPECT_EQ(ValueAt(curve, 70), 20);
  EXPECT_EQ(ValueAt(curve, 20), 10);
  EXPECT_EQ(ValueAt(curve, 99), 30);
}

}  // namespace
}  // namespace ringway::loadgen
