// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/metrics/metric.h"

#include <array>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace ringway {
namespace {

MetricInfo InfoOf(std::string_view name,
                  MetricType type = MetricType::kCounter) {
  return {name, type, "", "Help."};
}

TEST(Metric, AcceptsNamesOfThePrometheusConventions) {
  for (const MetricInfo& info :
       {InfoOf("ringway_tasks_spawned_total"), InfoOf("a2_total"),
        InfoOf("ringway_tasks", MetricType::kGauge),
        MetricInfo{"wait_seconds", MetricType::kHistogram, "seconds", "H."},
        MetricInfo{"sent_bytes_total", MetricType::kCounter, "bytes", "H."},
        MetricInfo{"memory_bytes", MetricType::kGauge, "bytes", "H."}}) {
    EXPECT_EQ(FaultIn(info), "") << info.name;
    EXPECT_EQ(StyleFaultIn(info), "") << info.name;
  }
}

TEST(Metric, FindsWhatAPageCannotHave) {
  for (const std::string_view name :
       {"", "_total", "2_total", "a-b_total", "a:b_total", "a b_total",
        "camelCase_total", "\xC3\xA4_total", "a_total\n"}) {
    EXPECT_NE(FaultIn(InfoOf(name)), "") << name;
  }
  EXPECT_NE(FaultIn({"a_total", MetricType::kCounter, "", ""}), "");
}

TEST(Metric, TheEndOfTheNameFollowsTheType) {
  EXPECT_NE(FaultIn(InfoOf("a", MetricType::kCounter)), "");
  EXPECT_NE(FaultIn(InfoOf("a_total", MetricType::kGauge)), "");
  EXPECT_NE(FaultIn(InfoOf("a_total", MetricType::kHistogram)), "");
  for (const std::string_view name : {"a_bucket", "a_count", "a_sum"}) {
    EXPECT_NE(FaultIn(InfoOf(name, MetricType::kGauge)), "") << name;
    // A line of the histogram "a" would look like one of it.
    EXPECT_NE(FaultIn(InfoOf(name, MetricType::kHistogram)), "") << name;
  }
}

TEST(Metric, FindsWhatPromtoolComplainsOf) {
  for (const std::string_view name :
       {"wait_milliseconds_total", "age_days_total", "sent_kilobytes_total",
        "sent_bits_total", "wait_ms_total", "a_s_total", "a_counter_total",
        "gauge_a_total", "a_histogram_b_total", "heat_fahrenheit_total"}) {
    EXPECT_EQ(FaultIn(InfoOf(name)), "") << name;
    EXPECT_NE(StyleFaultIn(InfoOf(name)), "") << name;
  }
  EXPECT_EQ(StyleFaultIn(InfoOf("thermometers_total")), "");
}

TEST(Metric, TheNameEndsInTheUnit) {
  const auto fault_of = [](std::string_view name, std::string_view unit) {
    return StyleFaultIn({name, MetricType::kGauge, unit, "H."});
  };
  EXPECT_EQ(fault_of("a_seconds", "seconds"), "");
  EXPECT_NE(fault_of("a_seconds", ""), "");
  EXPECT_NE(fault_of("a_seconds", "bytes"), "");
  EXPECT_NE(fault_of("a", "bytes"), "");
  EXPECT_NE(fault_of("bytes_a", "bytes"), "");
}

// The faults of a label, as text.
std::string CheckLabel(std::string_view name, std::string_view value) {
  const std::array<MetricLabel, 1> labels = {MetricLabel{name, value}};
  absl::Status status = CheckMetric(InfoOf("a_total"), labels);
  return std::string(status.message());
}

TEST(Metric, ChecksTheNamesOfLabels) {
  EXPECT_EQ(CheckLabel("code", ""), "");
  EXPECT_EQ(CheckLabel("_x9", ""), "");
  EXPECT_EQ(CheckLabel("le", ""),
            "metric \"a_total\": label \"le\": the name is reserved");
  for (const std::string_view name :
       {"", "9x", "camelCase", "a-b", "__name__", "quantile"}) {
    EXPECT_NE(CheckLabel(name, ""), "") << name;
  }
}

TEST(Metric, ALabelIsThereOnce) {
  const std::array<MetricLabel, 2> labels = {MetricLabel{"a", "1"},
                                             MetricLabel{"a", "2"}};
  absl::Status status = CheckMetric(InfoOf("a_total"), labels);
  EXPECT_EQ(status.message(),
            "metric \"a_total\": label \"a\": it is there twice");
}

TEST(Metric, TextsAreUtf8) {
  for (const std::string_view value :
       {"plain \"\\\n", "\xC2\x80", "\xC3\xA4", "\xE0\xA0\x80", "\xED\x9F\xBF",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(CheckLabel("a", value), "") << value;
  }
  for (const std::string_view value :
       {"\x80", "\xC3", "a\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82",
        "\xE2\x82\x28", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", "\xFF"}) {
    EXPECT_NE(CheckLabel("a", value), "") << value;
  }
  EXPECT_FALSE(
      CheckMetric({"a_total", MetricType::kCounter, "", "\xFF"}, {}).ok());
}

TEST(Metric, ErrorsNameTheMetric) {
  EXPECT_EQ(CheckMetric(InfoOf("a"), {}).ToString(),
            "INVALID_ARGUMENT: metric \"a\": counters, and nothing else, must "
            "end in _total");
}

}  // namespace
}  // namespace ringway
