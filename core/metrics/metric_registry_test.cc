// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/metrics/metric_registry.h"

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ringway {
namespace {

std::string PageOf(const MetricRegistry& registry) {
  MetricsText page;
  registry.WriteTo(page);
  return page.Take();
}

TEST(MetricRegistry, WritesWhatWasCounted) {
  MetricRegistry registry;
  Counter hits = *registry.AddCounter("hits_total", "Found.", {{"cache", "a"}});
  Counter other =
      *registry.AddCounter("hits_total", "Found.", {{"cache", "b"}});
  Gauge depth = *registry.AddGauge("depth", "Depth.");
  hits.Increment();
  hits.Increment(41);
  other.Increment(3);
  depth.Add(2);
  depth.Subtract(5);
  EXPECT_EQ(PageOf(registry),
            "# HELP depth Depth.\n"
            "# TYPE depth gauge\n"
            "depth -3\n"
            "# HELP hits_total Found.\n"
            "# TYPE hits_total counter\n"
            "hits_total{cache=\"a\"} 42\n"
            "hits_total{cache=\"b\"} 3\n");
  EXPECT_EQ(hits.value(), 42u);
  EXPECT_EQ(depth.value(), -3);
}

TEST(MetricRegistry, DistributionsCountValuesUpToEachBound) {
  MetricRegistry registry;
  const std::array<double, 2> bounds = {0.5, 2};
  Distribution sizes = *registry.AddDistribution("sizes", "Sizes.", bounds);
  for (const double value : {0.0, 0.5, 0.6, 2.0, 2.5, -1.0})
    sizes.Record(value);
  sizes.Record(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(PageOf(registry),
            "# HELP sizes Sizes.\n"
            "# TYPE sizes histogram\n"
            "sizes_bucket{le=\"0.5\"} 3\n"
            "sizes_bucket{le=\"2\"} 5\n"
            "sizes_bucket{le=\"+Inf\"} 6\n"
            "sizes_sum 4.6\n"
            "sizes_count 6\n");
}

TEST(MetricRegistry, DurationsAreSeconds) {
  MetricRegistry registry;
  Distribution waits = *registry.AddDistribution("wait_seconds", "Waits.");
  waits.Record(absl::Milliseconds(250));
  const std::string page = PageOf(registry);
  EXPECT_TRUE(absl::StrContains(page, "wait_seconds_sum 0.25\n")) << page;
  EXPECT_TRUE(absl::StrContains(page, "_bucket{le=\"0.1\"} 0\n")) << page;
  EXPECT_TRUE(absl::StrContains(page, "_bucket{le=\"0.25\"} 1\n")) << page;
}

TEST(MetricRegistry, SetReplacesWhatWasAdded) {
  MetricRegistry registry;
  Gauge gauge = *registry.AddGauge("g", "G.");
  gauge.Add(7);
  gauge.Set(-2.5);
  EXPECT_EQ(gauge.value(), -2.5);
  gauge.Add(1);
  EXPECT_EQ(gauge.value(), -1.5);
  gauge.Set(0);
  EXPECT_EQ(gauge.value(), 0);
}

TEST(MetricRegistry, ASetGaugeForgetsEvenWhatIsNoNumber) {
  MetricRegistry registry;
  Gauge gauge = *registry.AddGauge("g", "G.");
  gauge.Add(4);
  gauge.Set(std::numeric_limits<double>::quiet_NaN());
  gauge.Set(3);
  EXPECT_EQ(gauge.value(), 3);
  gauge.Set(1e300);
  gauge.Set(1);
  EXPECT_EQ(gauge.value(), 1);
}

TEST(MetricRegistry, CopiesAreTheSameMetric) {
  MetricRegistry registry;
  Counter counter = *registry.AddCounter("a_total", "A.");
  Counter copy = counter;
  Counter another;
  another = copy;
  counter.Increment();
  copy.Increment();
  another.Increment();
  EXPECT_EQ(counter.value(), 3u);
}

TEST(MetricRegistry, EmptyHandlesCountNothing) {
  Counter counter;
  Gauge gauge;
  Distribution distribution;
  counter.Increment();
  gauge.Add();
  gauge.Set(1);
  distribution.Record(1);
  EXPECT_EQ(counter.value(), 0u);
  EXPECT_EQ(gauge.value(), 0);
}

TEST(MetricRegistry, HandlesOutliveIt) {
  auto registry = std::make_unique<MetricRegistry>();
  Counter counter = *registry->AddCounter("a_total", "A.");
  Distribution sizes = *registry->AddDistribution("sizes", "Sizes.");
  registry.reset();
  MetricRegistry other;
  Counter stranger = *other.AddCounter("a_total", "A.");
  counter.Increment();
  sizes.Record(1);
  EXPECT_EQ(counter.value(), 1u);
  EXPECT_EQ(stranger.value(), 0u);
}

// The memory of a metric that has gone is used again.
TEST(MetricRegistry, NewMetricsBeginAtZero) {
  for (int i = 0; i < 100; ++i) {
    MetricRegistry registry;
    Counter counter = *registry.AddCounter("a_total", "A.");
    EXPECT_EQ(counter.value(), 0u);
    counter.Increment(5);
    Distribution sizes = *registry.AddDistribution("sizes", "Sizes.");
    EXPECT_TRUE(absl::StrContains(PageOf(registry), "sizes_count 0\n"));
    EXPECT_TRUE(absl::StrContains(PageOf(registry), "sizes_sum 0\n"));
    sizes.Record(1);
  }
}

TEST(MetricRegistry, RefusesWhatAPageCannotHave) {
  MetricRegistry registry;
  EXPECT_EQ(registry.AddCounter("hits", "Found.").status().ToString(),
            "INVALID_ARGUMENT: metric \"hits\": counters, and nothing else, "
            "must end in _total");
  EXPECT_EQ(registry.AddGauge("a", "").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(registry.AddGauge("a", "A.", {{"le", "1"}}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(registry.AddGauge("ringway_a", "A.").status().ToString(),
            "INVALID_ARGUMENT: metric \"ringway_a\": names that begin with "
            "ringway_ are Ringway's own");
  EXPECT_TRUE(absl::IsInvalidArgument(
      registry.AddGauge("process_open_fds", "A.").status()));
  EXPECT_EQ(PageOf(registry), "");
  EXPECT_EQ(registry.stats().refused, 0u);  // that is for limits
}

TEST(MetricRegistry, RefusesBoundsOutOfOrder) {
  MetricRegistry registry;
  const std::vector<std::vector<double>> wrong = {
      {},
      {1, 1},
      {2, 1},
      {std::numeric_limits<double>::infinity()},
      {std::numeric_limits<double>::quiet_NaN()},
      std::vector<double>(MetricRegistry::kMostBounds + 1, 1)};
  for (const std::vector<double>& bounds : wrong) {
    EXPECT_EQ(
        registry.AddDistribution("a", "A.", bounds).status().ToString(),
        "INVALID_ARGUMENT: metric \"a\": the bounds must be ascending and "
        "finite, 1 to 64 of them");
  }
  std::vector<double> most;
  for (size_t i = 0; i < MetricRegistry::kMostBounds; ++i)
    most.push_back(static_cast<double>(i));
  EXPECT_TRUE(registry.AddDistribution("a", "A.", most).ok());
}

TEST(MetricRegistry, RefusesTheSameMetricTwice) {
  MetricRegistry registry;
  ASSERT_TRUE(registry.AddGauge("g", "G.", {{"a", "1"}, {"b", "2"}}).ok());
  EXPECT_EQ(
      registry.AddGauge("g", "G.", {{"b", "2"}, {"a", "1"}})
          .status()
          .ToString(),
      "ALREADY_EXISTS: metric \"g\": it was added with these labels already");
  EXPECT_TRUE(registry.AddGauge("g", "G.", {{"b", "1"}, {"a", "2"}}).ok());
}

TEST(MetricRegistry, AMetricStaysAsItWasAdded) {
  MetricRegistry registry;
  const std::array<double, 1> bounds = {1};
  const std::array<double, 1> other_bounds = {2};
  ASSERT_TRUE(registry.AddDistribution("d", "D.", bounds, {{"a", "1"}}).ok());
  for (const absl::Status& status :
       {registry.AddGauge("d", "D.", {{"a", "2"}}).status(),
        registry.AddDistribution("d", "E.", bounds, {{"a", "2"}}).status(),
        registry.AddDistribution("d", "D.", other_bounds, {{"a", "2"}})
            .status(),
        registry.AddDistribution("d", "D.", bounds, {{"b", "2"}}).status(),
        registry.AddDistribution("d", "D.", bounds).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  }
}

TEST(MetricRegistry, LimitsTheNumberOfMetrics) {
  MetricLimits limits;
  limits.max_metrics = 2;
  limits.max_label_sets = 2;
  MetricRegistry registry(limits);
  ASSERT_TRUE(registry.AddGauge("a", "A.", {{"i", "1"}}).ok());
  ASSERT_TRUE(registry.AddGauge("b", "B.").ok());
  EXPECT_EQ(registry.AddGauge("c", "C.").status().ToString(),
            "RESOURCE_EXHAUSTED: metric \"c\": there are "
            "MetricLimits::max_metrics (2) metrics already");
  ASSERT_TRUE(registry.AddGauge("a", "A.", {{"i", "2"}}).ok());
  EXPECT_EQ(registry.AddGauge("a", "A.", {{"i", "3"}}).status().ToString(),
            "RESOURCE_EXHAUSTED: metric \"a\": it has "
            "MetricLimits::max_label_sets (2) sets of labels already");
  EXPECT_EQ(registry.stats().metrics, 2u);
  EXPECT_EQ(registry.stats().label_sets, 3u);
  EXPECT_EQ(registry.stats().refused, 2u);
}

TEST(MetricRegistry, AllMetricsTogetherHaveALimit) {
  MetricLimits limits;
  limits.max_label_sets = kMostMetricCells;
  absl::Status status;
  {
    MetricRegistry registry(limits);
    for (int i = 0; status.ok(); ++i) {
      ASSERT_LT(i, 1'000'000);
      const std::string value = absl::StrCat(i);
      std::vector<double> bounds;
      for (int j = 0; j < 60; ++j) bounds.push_back(j);
      status =
          registry.AddDistribution("d", "D.", bounds, {{"i", value}}).status();
    }
    EXPECT_EQ(status.ToString(),
              "RESOURCE_EXHAUSTED: metric \"d\": all metrics together have "
              "kMostMetricCells (65536) cells already");
  }
  MetricRegistry registry;  // what the other one had is free again
  std::vector<double> bounds;
  for (int j = 0; j < 60; ++j) bounds.push_back(j);
  EXPECT_TRUE(registry.AddDistribution("d", "D.", bounds).ok());
}

TEST(MetricRegistry, LimitsAreChecked) {
  MetricLimits limits;
  limits.max_metrics = 0;
  EXPECT_TRUE(absl::StrContains(CheckMetricLimits(limits).message(),
                                "MetricLimits::max_metrics"));
  limits = MetricLimits();
  limits.max_label_sets = kMostMetricCells + 1;
  EXPECT_TRUE(absl::StrContains(CheckMetricLimits(limits).message(),
                                "MetricLimits::max_label_sets"));
  EXPECT_EQ(CheckMetricLimits(MetricLimits()), absl::OkStatus());
}

TEST(MetricRegistry, TheDefaultOneIsTheSameEverywhere) {
  EXPECT_EQ(&MetricRegistry::Default(), &MetricRegistry::Default());
}

}  // namespace
}  // namespace ringway
