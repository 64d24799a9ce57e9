// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/series/time_series.h"

#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

constexpr MonotonicTime kBegin = MonotonicTime::FromNanoseconds(1'000'000);

MonotonicTime At(int64_t ms) { return kBegin + absl::Milliseconds(ms); }

uint64_t RequestsOf(const std::vector<SeriesRow>& rows) {
  uint64_t n = 0;
  for (const SeriesRow& row : rows) n += row.requests;
  return n;
}

TEST(TimeSeriesTest, IntervalsAreRoundAndBoundedInNumber) {
  const auto interval_of = &TimeSeries::IntervalOf;
  EXPECT_EQ(interval_of(absl::ZeroDuration()), absl::Milliseconds(10));
  EXPECT_EQ(interval_of(absl::Seconds(1)), absl::Milliseconds(10));
  EXPECT_EQ(interval_of(absl::Seconds(5)), absl::Milliseconds(50));
  EXPECT_EQ(interval_of(absl::Seconds(10)), absl::Milliseconds(100));
  EXPECT_EQ(interval_of(absl::Seconds(60)), absl::Milliseconds(500));
  EXPECT_EQ(interval_of(absl::Seconds(61)), absl::Seconds(1));
  for (absl::Duration length = absl::Milliseconds(7); length < absl::Hours(48);
       length = length * 5 / 3) {
    EXPECT_LE(length / interval_of(length), TimeSeries::kMostIntervals);
  }
}

TEST(TimeSeriesTest, CountsEachAnswerInTheIntervalInWhichItCame) {
  TimeSeries series(kBegin, absl::Seconds(1));
  series.Record(At(0), 100, 3);
  series.Record(At(9), 120, 1);
  series.Record(At(10), 200, 2);
  const std::vector<SeriesRow> rows = series.Rows(absl::Seconds(1));
  ASSERT_EQ(rows.size(), 100u);
  EXPECT_EQ(rows[0].requests, 4u);
  EXPECT_EQ(rows[0].p50_ns, 100u);
  EXPECT_EQ(rows[0].max_ns, 120u);
  EXPECT_EQ(rows[1].requests, 2u);
  EXPECT_EQ(rows[1].begin, absl::Milliseconds(10));
  EXPECT_EQ(rows[1].length, absl::Milliseconds(10));
  EXPECT_EQ(series.Total().count(), 6u);
}

TEST(TimeSeriesTest, AnIntervalInWhichNothingCameIsARowOfZeros) {
  TimeSeries series(kBegin, absl::Seconds(1));
  series.Record(At(5), 100, 1);
  series.Record(At(35), 30'000'000, 1);
  const std::vector<SeriesRow> rows = series.Rows(absl::Seconds(1));
  EXPECT_EQ(rows[1].requests, 0u);
  EXPECT_EQ(rows[2].p99_ns, 0u);
  EXPECT_EQ(rows[3].max_ns, 30'000'000u);
}

TEST(TimeSeriesTest, CountsErrorsAndWhatWasOfferedByTheirTime) {
  TimeSeries series(kBegin, absl::Seconds(1));
  series.RecordOffered(At(1));
  series.RecordOffered(At(11));
  series.RecordOffered(At(12));
  series.RecordError(At(25));
  const std::vector<SeriesRow> rows = series.Rows(absl::Seconds(1));
  EXPECT_EQ(rows[0].offered, 1u);
  EXPECT_EQ(rows[1].offered, 2u);
  EXPECT_EQ(rows[2].errors, 1u);
}

TEST(TimeSeriesTest, AnEarlierInstantCountsInTheCurrentInterval) {
  TimeSeries series(kBegin, absl::Seconds(1));
  series.Record(At(20), 100, 1);
  series.Record(At(19), 100, 1);
  series.Record(At(-7), 100, 1);
  EXPECT_EQ(series.Rows(absl::Seconds(1))[2].requests, 3u);
}

TEST(TimeSeriesTest, WhatComesAfterTheRunIsInTheLastRow) {
  TimeSeries series(kBegin, absl::Milliseconds(30));
  series.Record(At(29), 100, 1);
  series.Record(At(31), 100, 1);
  series.Record(At(7'000), 100, 1);
  const std::vector<SeriesRow> rows = series.Rows(absl::Milliseconds(30));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[2].requests, 3u);
}

TEST(TimeSeriesTest, AShortRestIsPartOfTheRowBefore) {
  TimeSeries series(kBegin, absl::Milliseconds(30));
  series.Record(At(31), 100, 1);
  std::vector<SeriesRow> rows = series.Rows(absl::Milliseconds(32));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[2].length, absl::Milliseconds(12));
  EXPECT_EQ(rows[2].requests, 1u);
  rows = series.Rows(absl::Milliseconds(37));
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[3].length, absl::Milliseconds(7));
  EXPECT_EQ(rows[3].requests, 1u);
}

TEST(TimeSeriesTest, ARunThatEndedEarlyHasTheRowsOfItsTime) {
  TimeSeries series(kBegin, absl::Seconds(1));
  series.Record(At(3), 100, 7);
  const std::vector<SeriesRow> rows = series.Rows(absl::Milliseconds(3));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].length, absl::Milliseconds(3));
  EXPECT_EQ(rows[0].requests, 7u);
  EXPECT_EQ(series.Rows(absl::ZeroDuration()).size(), 1u);
}

TEST(TimeSeriesTest, MergesIntervalByInterval) {
  TimeSeries a(kBegin, absl::Seconds(1));
  TimeSeries b(kBegin + absl::Microseconds(3), absl::Seconds(1));
  a.Record(At(1), 100, 1);
  a.RecordError(At(990));
  b.Record(At(5), 300, 1);
  b.Record(At(555), 400, 2);
  a.Merge(b);
  const std::vector<SeriesRow> rows = a.Rows(absl::Seconds(1));
  EXPECT_EQ(rows[0].requests, 2u);
  EXPECT_EQ(rows[0].max_ns, 300u);
  EXPECT_EQ(rows[55].requests, 2u);
  EXPECT_EQ(rows[99].errors, 1u);
  EXPECT_EQ(RequestsOf(rows), 4u);
}

TEST(TimeSeriesTest, RecentIsTheLastSecond) {
  TimeSeries series(kBegin, absl::Seconds(10));
  series.Record(At(500), 1'000'000, 1);
  EXPECT_EQ(series.Recent(At(600)).count(), 1u);
  series.Record(At(3'000), 100, 5);
  series.Record(At(3'900), 100, 5);
  EXPECT_EQ(series.Recent(At(3'950)).count(), 10u);
  EXPECT_EQ(series.Recent(At(3'950)).max(), 100u);
  EXPECT_EQ(series.Recent(At(99'000)).count(), 0u);
}

}  // namespace
}  // namespace ringway::loadgen
