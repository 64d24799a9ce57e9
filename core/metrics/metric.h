// SPDX-License-Identifier: Apache-2.0
//
// MetricInfo: what a metric is called and what it means, and the rules for it.
//
// The names follow Prometheus: snake case, base units (seconds, bytes) at the
// end, and `_total` after that for counters. The rules are constexpr, so that a
// table of metrics is checked when it is compiled:
//
//   static_assert(FaultInTable(kTable).empty());

#ifndef RINGWAY_CORE_METRICS_METRIC_H_
#define RINGWAY_CORE_METRICS_METRIC_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "ringway/core/compiler.h"

namespace ringway {

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram };

constexpr std::string_view MetricTypeName(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      break;
  }
  return "histogram";
}

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
constexpr std::string_view FaultIn(const MetricInfo& info);

// The reason why it breaks a convention that `promtool check metrics` checks,
// or the unit is not at the end of the name; empty if there is none.
constexpr std::string_view StyleFaultIn(const MetricInfo& info);

// Both for a whole table, whose names must also differ. Returns the name of the
// first metric with a fault; empty if there is none.
constexpr std::string_view FaultInTable(std::span<const MetricInfo> table);

// InvalidArgument with the metric and its FaultIn(), or with the label: its
// name is malformed, reserved (`le`, `quantile`, `__...`) or there twice, or a
// text is not UTF-8.
absl::Status CheckMetric(const MetricInfo& info,
                         std::span<const MetricLabel> labels);

// --- Implementation

namespace internal {

constexpr bool IsMetricName(std::string_view name) {
  for (const char c : name) {
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
      return false;
  }
  return !name.empty() && name.front() >= 'a' && name.front() <= 'z';
}

// True if `word` is a unit for which Prometheus has a base unit, with any
// prefix, or a base unit with a prefix.
constexpr bool IsOtherUnit(std::string_view word) {
  constexpr std::string_view kBase[] = {
      "amperes", "bytes",  "celsius", "grams",   "joules",
      "kelvin",  "meters", "metres",  "seconds", "volts"};
  constexpr std::string_view kOther[] = {
      "minutes", "hours", "days",  "weeks", "kelvins",  "fahrenheit", "rankine",
      "inches",  "yards", "miles", "bits",  "calories", "pounds",     "ounces"};
  constexpr std::string_view kPrefixes[] = {
      "pico", "nano",  "micro", "milli", "centi", "deci",
      "deca", "hecto", "kilo",  "kibi",  "mega",  "mebi",
      "giga", "gibi",  "tera",  "tebi",  "peta",  "pebi"};
  for (const std::string_view unit : kBase) {
    if (word == unit) return false;
  }
  for (const std::string_view prefix : kPrefixes) {
    if (!word.starts_with(prefix)) continue;
    const std::string_view rest = word.substr(prefix.size());
    for (const std::string_view unit : kBase) {
      if (rest == unit) return true;
    }
    for (const std::string_view unit : kOther) {
      if (rest == unit) return true;
    }
  }
  for (const std::string_view unit : kOther) {
    if (word == unit) return true;
  }
  return false;
}

constexpr std::string_view FaultInWord(std::string_view word) {
  constexpr std::string_view kTypes[] = {"counter", "gauge", "summary",
                                         "histogram"};
  constexpr std::string_view kAbbreviations[] = {"s",  "ms", "us", "ns", "sec",
                                                 "b",  "kb", "mb", "gb", "tb",
                                                 "pb", "m",  "h",  "d"};
  for (const std::string_view type : kTypes) {
    if (word == type) return "the name includes a type";
  }
  for (const std::string_view unit : kAbbreviations) {
    if (word == unit) return "the name abbreviates a unit";
  }
  if (IsOtherUnit(word)) return "the unit is not a base unit";
  return {};
}

}  // namespace internal

constexpr std::string_view FaultIn(const MetricInfo& info) {
  const bool is_histogram = info.type == MetricType::kHistogram;
  const std::string_view name = info.name;
  if (!internal::IsMetricName(name)) {
    return "the name must be of a-z, 0-9 and _, and begin with a letter";
  }
  if (info.help.empty()) return "there is no help";
  if ((info.type == MetricType::kCounter) != name.ends_with("_total"))
    return "counters, and nothing else, must end in _total";
  if (!is_histogram && (name.ends_with("_bucket") || name.ends_with("_count") ||
                        name.ends_with("_sum"))) {
    return "_bucket, _count and _sum are the ends of a histogram's lines";
  }
  return {};
}

constexpr std::string_view StyleFaultIn(const MetricInfo& info) {
  std::string_view rest = info.name;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find('_'));
    const std::string_view fault = internal::FaultInWord(word);
    if (!fault.empty()) return fault;
    rest.remove_prefix(word.size() == rest.size() ? rest.size()
                                                  : word.size() + 1);
  }
  std::string_view name = info.name;
  if (name.ends_with("_total")) name.remove_suffix(6);
  const std::string_view last = name.substr(name.rfind('_') + 1);
  const bool ends_in_unit = last == "seconds" || last == "bytes";
  if (ends_in_unit ? last != info.unit : !info.unit.empty())
    return "the name must end in the unit, before _total";
  return {};
}

constexpr std::string_view FaultInTable(std::span<const MetricInfo> table) {
  for (size_t i = 0; i < table.size(); ++i) {
    if (!FaultIn(table[i]).empty() || !StyleFaultIn(table[i]).empty())
      return table[i].name.empty() ? "a metric without a name" : table[i].name;
    for (size_t j = 0; j < i; ++j) {
      if (table[i].name == table[j].name) return table[i].name;
    }
  }
  return {};
}

}  // namespace ringway

#endif  // RINGWAY_CORE_METRICS_METRIC_H_
