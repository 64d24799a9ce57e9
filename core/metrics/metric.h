// SPDX-License-Identifier: Apache-2.0
//
// MetricInfo: what a metric is called and what it means, and the rules for it.
//
// The names follow Prometheus: snake case, base units (seconds, bytes) at the
// end, and `_total` after that for counters.

#ifndef RINGWAY_CORE_METRICS_METRIC_H_
#define RINGWAY_CORE_METRICS_METRIC_H_

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "ringway/core/compiler.h"

namespace ringway {

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram };

// "counter", "gauge" or "histogram".
std::string_view MetricTypeName(MetricType type);

struct MetricInfo {
  std::string_view name;
  MetricType type;
  std::string_view unit;  // "seconds", "bytes"; empty for a count of things
  std::string_view help;
};

struct MetricLabel {
  std::string_view name;
  std::string_view value;
};

// The upper bounds of buckets for durations: 1, 2.5 and 5 times the powers of
// ten from a microsecond to 10 seconds.
inline constexpr std::array<double, 22> kDurationBounds = {
    1e-6,   2.5e-6, 5e-6,   1e-5, 2.5e-5, 5e-5,   1e-4, 2.5e-4,
    5e-4,   1e-3,   2.5e-3, 5e-3, 1e-2,   2.5e-2, 5e-2, 1e-1,
    2.5e-1, 5e-1,   1.0,    2.5,  5.0,    10.0};

// The reason why a page cannot have the metric, empty if it can: the name is
// malformed, or would collide with the lines of a histogram; a counter without
// `_total`; no help.
std::string_view FaultIn(const MetricInfo& info);

// The reason why it breaks a convention that `promtool check metrics` checks,
// or the unit is not at the end of the name; empty if there is none.
std::string_view StyleFaultIn(const MetricInfo& info);

// InvalidArgument with the metric and its FaultIn(), or with the label: its
// name is malformed, reserved (`le`, `quantile`, `__...`) or there twice, or a
// text is not UTF-8.
absl::Status CheckMetric(const MetricInfo& info,
                         std::span<const MetricLabel> labels);

}  // namespace ringway

#endif  // RINGWAY_CORE_METRICS_METRIC_H_
