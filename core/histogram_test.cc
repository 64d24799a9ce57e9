// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/histogram.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace ringway {
namespace {

TEST(Histogram, IsAllZeroWhenEmpty) {
  Histogram histogram;

  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.min(), 0u);
  EXPECT_EQ(histogram.max(), 0u);
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_EQ(histogram.sum(), 0);
  EXPECT_EQ(histogram.ValueAtPercentile(0), 0u);
  EXPECT_EQ(histogram.ValueAtPercentile(99), 0u);
  EXPECT_EQ(histogram.ValueAtPercentile(100), 0u);
}

TEST(Histogram, IsExactForSmallValues) {
  Histogram histogram;
  for (uint64_t value = 1; value <= 100; ++value) histogram.Record(value);

  for (uint64_t p = 1; p <= 100; ++p) {
    EXPECT_EQ(histogram.ValueAtPercentile(static_cast<double>(p)), p);
  }
  EXPECT_EQ(histogram.mean(), 50.5);
}

TEST(Histogram, DoesNotRoundTheRankUp) {
  Histogram histogram;
  histogram.RecordN(1, 999);
  histogram.Record(2);

  EXPECT_EQ(histogram.ValueAtPercentile(99.9), 1u);
  EXPECT_EQ(histogram.ValueAtPercentile(99.91), 2u);
}

TEST(Histogram, ErrsByAtMostOneSixtyFourth) {
  for (uint64_t value = 1; value < Histogram::kMaxTrackable;
       value += value / 50 + 1) {
    Histogram histogram;
    histogram.Record(value);
    histogram.Record(Histogram::kMaxTrackable);

    const uint64_t reported = histogram.ValueAtPercentile(50);

    ASSERT_GE(reported, value);
    ASSERT_LE(reported - value, value / 64) << value;
  }
}

TEST(Histogram, NeverReportsMoreThanTheMaximum) {
  Histogram histogram;
  histogram.Record(1'000'001);

  EXPECT_EQ(histogram.ValueAtPercentile(99), 1'000'001u);
  EXPECT_EQ(histogram.ValueAtPercentile(100), 1'000'001u);
}

TEST(Histogram, ClampsThePercentile) {
  Histogram histogram;
  histogram.Record(10);
  histogram.Record(20);

  EXPECT_EQ(histogram.ValueAtPercentile(-1), 10u);
  EXPECT_EQ(histogram.ValueAtPercentile(0), 10u);
  EXPECT_EQ(histogram.ValueAtPercentile(1000), 20u);
  EXPECT_EQ(histogram.ValueAtPercentile(std::nan("")), 10u);
}

TEST(Histogram, SaturatesInTheTopBucket) {
  Histogram histogram;
  histogram.Record(Histogram::kMaxTrackable);
  histogram.Record(Histogram::kMaxTrackable + 1);
  histogram.Record(~uint64_t{0});

  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_EQ(histogram.max(), ~uint64_t{0});
  EXPECT_GE(histogram.ValueAtPercentile(50), Histogram::kMaxTrackable);
  EXPECT_EQ(histogram.ValueAtPercentile(100), ~uint64_t{0});
}

TEST(Histogram, CountsValuesUpToABound) {
  Histogram histogram;
  EXPECT_EQ(histogram.CountAtMost(5), 0u);
  for (uint64_t value = 1; value <= 100; ++value) histogram.Record(value);
  histogram.RecordN(1'000'000, 7);
  histogram.Record(Histogram::kMaxTrackable * 2);

  EXPECT_EQ(histogram.CountAtMost(0), 0u);
  EXPECT_EQ(histogram.CountAtMost(1), 1u);
  EXPECT_EQ(histogram.CountAtMost(99), 99u);
  EXPECT_EQ(histogram.CountAtMost(1'000'000 - 1'000'000 / 64), 100u);
  EXPECT_EQ(histogram.CountAtMost(1'000'000), 107u);
  EXPECT_EQ(histogram.CountAtMost(1'000'000'000), 107u);
  EXPECT_EQ(histogram.CountAtMost(Histogram::kMaxTrackable * 2), 108u);
  EXPECT_EQ(histogram.sum(), 5050 + 7e6 + 2.0 * Histogram::kMaxTrackable);
}

TEST(Histogram, RecordNEqualsRecordingNTimes) {
  Histogram once, n_times;
  n_times.RecordN(1000, 3);
  n_times.RecordN(5, 0);
  for (int i = 0; i < 3; ++i) once.Record(1000);

  EXPECT_EQ(n_times.count(), once.count());
  EXPECT_EQ(n_times.mean(), once.mean());
  EXPECT_EQ(n_times.min(), once.min());
}

TEST(Histogram, MergeEqualsRecordingInOne) {
  std::mt19937_64 random(1);
  Histogram a, b, both;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t value = random() >> random() % 64;
    (i % 3 == 0 ? a : b).Record(value);
    both.Record(value);
  }

  a.Merge(b);
  a.Merge(Histogram());

  EXPECT_EQ(a.count(), both.count());
  EXPECT_EQ(a.min(), both.min());
  EXPECT_EQ(a.max(), both.max());
  EXPECT_NEAR(a.mean() / both.mean(), 1, 1e-9);
  for (double p = 0; p <= 100; p += 0.5) {
    EXPECT_EQ(a.ValueAtPercentile(p), both.ValueAtPercentile(p));
  }
}

TEST(Histogram, AgreesWithSortedValues) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    Histogram histogram;
    std::vector<uint64_t> values(1 + random() % 2000);
    for (uint64_t& value : values) {
      value = (random() & Histogram::kMaxTrackable) >> random() % 42;
      histogram.Record(value);
    }
    std::sort(values.begin(), values.end());
    for (const double p : {0.1, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9}) {
      const auto rank = static_cast<size_t>(std::ceil(
          std::nextafter(p, 0) * static_cast<double>(values.size()) / 100));
      const uint64_t exact = values[rank - 1];
      const uint64_t reported = histogram.ValueAtPercentile(p);
      ASSERT_GE(reported, exact);
      ASSERT_LE(reported - exact, exact / 64);
    }
  }
}

}  // namespace
}  // namespace ringway
