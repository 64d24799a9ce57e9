// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/metrics/metric.h"

#include <cstddef>

#include "absl/strings/str_cat.h"

namespace ringway {
namespace {

bool IsMetricName(std::string_view name) {
  for (const char c : name) {
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
      return false;
  }
  return !name.empty() && name.front() >= 'a' && name.front() <= 'z';
}

// True if `word` is a unit for which Prometheus has a base unit, with any
// prefix, or a base unit with a prefix.
bool IsOtherUnit(std::string_view word) {
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

std::string_view FaultInWord(std::string_view word) {
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

// The length of the UTF-8 sequence at the start of `text`, 0 if there is none
// (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF).
size_t Utf8Length(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = at(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  const uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (at(1) < low || at(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

// A scraper refuses the whole page for one byte that is not.
bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool IsLabelName(std::string_view name) {
  for (const char c : name) {
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
      return false;
  }
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9');
}

std::string_view FaultInLabel(const MetricLabel& label) {
  if (!IsLabelName(label.name))
    return "the name must be of a-z, 0-9 and _, and not begin with a digit";
  if (label.name == "le" || label.name == "quantile" ||
      label.name.starts_with("__")) {
    return "the name is reserved";
  }
  if (!IsUtf8(label.value)) return "the value is not UTF-8";
  return {};
}

}  // namespace

std::string_view MetricTypeName(MetricType type) {
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

std::string_view FaultIn(const MetricInfo& info) {
  const std::string_view name = info.name;
  if (!IsMetricName(name)) {
    return "the name must be of a-z, 0-9 and _, and begin with a letter";
  }
  if (info.help.empty()) return "there is no help";
  if ((info.type == MetricType::kCounter) != name.ends_with("_total"))
    return "counters, and nothing else, must end in _total";
  if (name.ends_with("_bucket") || name.ends_with("_count") ||
      name.ends_with("_sum")) {
    return "_bucket, _count and _sum are the ends of a histogram's lines";
  }
  return {};
}

std::string_view StyleFaultIn(const MetricInfo& info) {
  std::string_view rest = info.name;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find('_'));
    const std::string_view fault = FaultInWord(word);
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

absl::Status CheckMetric(const MetricInfo& info,
                         std::span<const MetricLabel> labels) {
  std::string_view fault = FaultIn(info);
  if (fault.empty() && !IsUtf8(info.help)) fault = "the help is not UTF-8";
  if (!fault.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("metric \"", info.name, "\": ", fault));
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    fault = FaultInLabel(labels[i]);
    for (size_t j = 0; j < i && fault.empty(); ++j) {
      if (labels[i].name == labels[j].name) fault = "it is there twice";
    }
    if (fault.empty()) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "metric \"", info.name, "\": label \"", labels[i].name, "\": ", fault));
  }
  return absl::OkStatus();
}

}  // namespace ringway
