// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/metrics/metrics_text.h"

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace ringway {
namespace {

TEST(MetricsText, WritesHelpTypeAndValues) {
  MetricsText page;
  page.Begin({"hits_total", MetricType::kCounter, "", "Keys found."});
  const std::array<MetricLabel, 2> labels = {MetricLabel{"cache", "users"},
                                             MetricLabel{"worker", "0"}};
  page.Add(labels, uint64_t{7});
  page.Begin({"depth", MetricType::kGauge, "", "Depth."});
  page.Add({}, -1.5);
  EXPECT_EQ(page.text(),
            "# HELP hits_total Keys found.\n"
            "# TYPE hits_total counter\n"
            "hits_total{cache=\"users\",worker=\"0\"} 7\n"
            "# HELP depth Depth.\n"
            "# TYPE depth gauge\n"
            "depth -1.5\n");
}

TEST(MetricsText, EscapesHelpAndLabels) {
  MetricsText page;
  page.Begin({"a_total", MetricType::kCounter, "", "a \\ b\nc \"d\""});
  const std::array<MetricLabel, 1> labels = {
      MetricLabel{"l", "a \\ b\nc \"d\""}};
  page.Add(labels, uint64_t{1});
  EXPECT_EQ(page.text(),
            "# HELP a_total a \\\\ b\\nc \"d\"\n"
            "# TYPE a_total counter\n"
            "a_total{l=\"a \\\\ b\\nc \\\"d\\\"\"} 1\n");
}

std::string TextOf(double value) {
  MetricsText page;
  page.Add({}, value);
  return page.Take();
}

TEST(MetricsText, WritesEveryNumber) {
  EXPECT_EQ(TextOf(0), " 0\n");
  EXPECT_EQ(TextOf(0.1), " 0.1\n");
  EXPECT_EQ(TextOf(1e300), " 1e+300\n");
  EXPECT_EQ(TextOf(std::numeric_limits<double>::infinity()), " +Inf\n");
  EXPECT_EQ(TextOf(-std::numeric_limits<double>::infinity()), " -Inf\n");
  EXPECT_EQ(TextOf(std::numeric_limits<double>::quiet_NaN()), " NaN\n");
  MetricsText page;
  page.Add({}, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(page.text(), " 18446744073709551615\n");
}

TEST(MetricsText, HistogramsAreCumulative) {
  MetricsText page;
  page.Begin({"wait_seconds", MetricType::kHistogram, "seconds", "Waits."});
  const std::array<MetricLabel, 1> labels = {MetricLabel{"worker", "1"}};
  const std::array<double, 2> bounds = {0.001, 1};
  const std::array<uint64_t, 3> counts = {2, 0, 3};
  page.Add(labels, MetricBuckets{bounds, counts, 12.5});
  EXPECT_EQ(page.text(),
            "# HELP wait_seconds Waits.\n"
            "# TYPE wait_seconds histogram\n"
            "wait_seconds_bucket{worker=\"1\",le=\"0.001\"} 2\n"
            "wait_seconds_bucket{worker=\"1\",le=\"1\"} 2\n"
            "wait_seconds_bucket{worker=\"1\",le=\"+Inf\"} 5\n"
            "wait_seconds_sum{worker=\"1\"} 12.5\n"
            "wait_seconds_count{worker=\"1\"} 5\n");
}

TEST(MetricsText, AHistogramWithoutLabelsHasItsBoundsOnly) {
  MetricsText page;
  page.Begin({"a", MetricType::kHistogram, "", "A."});
  const std::array<uint64_t, 1> counts = {0};
  page.Add({}, MetricBuckets{{}, counts, 0});
  EXPECT_EQ(page.text(),
            "# HELP a A.\n"
            "# TYPE a histogram\n"
            "a_bucket{le=\"+Inf\"} 0\n"
            "a_sum 0\n"
            "a_count 0\n");
}

TEST(MetricsText, TakeLeavesItEmpty) {
  MetricsText page;
  page.Add({}, uint64_t{1});
  EXPECT_EQ(page.Take(), " 1\n");
  EXPECT_EQ(page.text(), "");
}

TEST(MetricsTextDeathTest, AHistogramHasOneMoreCountThanBounds) {
  MetricsText page;
  page.Begin({"a", MetricType::kHistogram, "", "A."});
  const std::array<double, 1> bounds = {1};
  const std::array<uint64_t, 1> counts = {1};
  EXPECT_DEATH(page.Add({}, MetricBuckets{bounds, counts, 1}),
               "the histogram a has 1 counts for 1 bounds");
}

}  // namespace
}  // namespace ringway
