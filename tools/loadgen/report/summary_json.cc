// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/summary_json.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "ringway/tools/loadgen/format.h"
#include "ringway/tools/loadgen/report/json_value.h"

namespace ringway::loadgen {
namespace {

std::string PercentileList(const std::vector<PercentilePoint>& curve) {
  std::string json = "[";
  for (const PercentilePoint& point : curve) {
    absl::StrAppendFormat(&json, "%s[%.9g, %.3f]", json.size() > 1 ? ", " : "",
                          point.percentile, point.us);
  }
  return json + "]";
}

// Null without requests.
std::string MicrosecondsOrNull(const SeriesRow& row, uint64_t ns) {
  return row.requests == 0
             ? "null"
             : absl::StrFormat("%.3f", static_cast<double>(ns) / 1000);
}

std::string RowObject(const SeriesRow& row, size_t request_bytes) {
  return absl::StrFormat(
      "{\"time_s\": %.3f, \"duration_s\": %.6f, \"offered\": %d, "
      "\"requests\": %d, \"bytes\": %d, \"errors\": %d, \"p50_us\": %s, "
      "\"p99_us\": %s, \"max_us\": %s}",
      absl::ToDoubleSeconds(row.begin), absl::ToDoubleSeconds(row.length),
      row.offered, row.requests, row.requests * request_bytes, row.errors,
      MicrosecondsOrNull(row, row.p50_ns), MicrosecondsOrNull(row, row.p99_ns),
      MicrosecondsOrNull(row, row.max_ns));
}

uint64_t CountOf(const JsonValue& object, std::string_view name) {
  // What a double holds exactly, and any process can have counted.
  constexpr double kMost = 9007199254740992.0;
  return static_cast<uint64_t>(
      std::clamp(object.NumberOf(name).value_or(0), 0.0, kMost));
}

uint64_t NanosecondsOf(const JsonValue& object, std::string_view name) {
  constexpr double kMostUs = 1e12;
  return static_cast<uint64_t>(std::llround(
      1000 * std::clamp(object.NumberOf(name).value_or(0), 0.0, kMostUs)));
}

std::string TextOf(const JsonValue& object, std::string_view name) {
  const JsonValue* member = object.Find(name);
  return member == nullptr || member->as_string() == nullptr
             ? ""
             : *member->as_string();
}

std::optional<CpuUse> CpuOf(const JsonValue& object, std::string_view who) {
  const std::optional<double> us =
      object.NumberOf(std::string(who) + "_cpu_us_per_request");
  if (!us.has_value()) return std::nullopt;
  return CpuUse(*us,
                object.NumberOf(std::string(who) + "_cpu_share").value_or(0));
}

std::vector<PercentilePoint> CurveOf(const JsonValue& object) {
  std::vector<PercentilePoint> curve;
  const JsonValue* list = object.Find("percentiles");
  if (list != nullptr && list->as_list() != nullptr) {
    for (const JsonValue& pair : *list->as_list()) {
      const JsonValue::List* point = pair.as_list();
      if (point == nullptr || point->size() != 2) continue;
      const double* percentile = (*point)[0].as_number();
      const double* us = (*point)[1].as_number();
      if (percentile != nullptr && us != nullptr && *us >= 0)
        curve.emplace_back(std::clamp(*percentile, 0.0, 100.0), *us);
    }
  }
  if (curve.empty()) {
    for (const auto& [percentile, name] :
         std::initializer_list<std::pair<double, std::string_view>>{
             {50, "p50_us"},
             {90, "p90_us"},
             {99, "p99_us"},
             {99.9, "p999_us"},
             {100, "max_us"}}) {
      if (const std::optional<double> us = object.NumberOf(name))
        curve.emplace_back(percentile, *us);
    }
  }
  std::sort(curve.begin(), curve.end(), [](const auto& a, const auto& b) {
    return a.percentile < b.percentile;
  });
  return curve;
}

std::vector<SeriesRow> SeriesOf(const JsonValue& object) {
  std::vector<SeriesRow> series;
  const JsonValue* list = object.Find("series");
  if (list == nullptr || list->as_list() == nullptr) return series;
  for (const JsonValue& element : *list->as_list()) {
    SeriesRow row;
    row.begin = absl::Seconds(element.NumberOf("time_s").value_or(0));
    row.length = absl::Seconds(element.NumberOf("duration_s").value_or(0));
    row.offered = CountOf(element, "offered");
    row.requests = CountOf(element, "requests");
    row.errors = CountOf(element, "errors");
    row.p50_ns = NanosecondsOf(element, "p50_us");
    row.p99_ns = NanosecondsOf(element, "p99_us");
    row.max_ns = NanosecondsOf(element, "max_us");
    series.push_back(row);
  }
  return series;
}

}  // namespace

std::string WithSummary(std::string object, const Summary& summary) {
  object.pop_back();  // the brace
  absl::StrAppendFormat(
      &object,
      ", \"server\": %s, \"load\": %s, \"mean_us\": %.3f, \"p9999_us\": %.3f, "
      "\"percentiles\": %s, \"series\": [",
      JsonString(summary.server), JsonString(summary.load), summary.mean_us,
      summary.At(99.99), PercentileList(summary.percentiles));
  std::string_view separator;
  for (const SeriesRow& row : summary.series) {
    absl::StrAppendFormat(&object, "%s%s", separator,
                          RowObject(row, summary.request_bytes));
    separator = ", ";
  }
  return object + "]}";
}

absl::StatusOr<Summary> ParseSummary(std::string_view json) {
  const absl::StatusOr<JsonValue> parsed = JsonValue::Parse(json);
  if (!parsed.ok()) return parsed.status();
  const JsonValue& object = *parsed;
  const std::optional<double> goodput = object.NumberOf("goodput_per_second");
  const std::optional<double> rate =
      goodput.has_value() ? goodput : object.NumberOf("requests_per_second");
  if (!rate.has_value() || !object.NumberOf("p50_us").has_value() ||
      !object.NumberOf("duration_s").has_value()) {
    return absl::InvalidArgumentError(
        "not what loadgen --json prints: a rate, p50_us or duration_s is "
        "missing");
  }
  Summary summary;
  summary.server = TextOf(object, "server");
  summary.load = TextOf(object, "load");
  summary.seconds = *object.NumberOf("duration_s");
  summary.request_bytes = static_cast<size_t>(CountOf(object, "size"));
  summary.requests =
      CountOf(object, goodput.has_value() ? "answered" : "requests");
  summary.per_second = *rate;
  summary.errors = CountOf(object, "errors");
  if (goodput.has_value()) {
    summary.open.emplace();
    summary.open->offered = CountOf(object, "offered");
    summary.open->dropped = CountOf(object, "dropped");
  }
  if (object.NumberOf("lost").has_value())
    summary.lost = CountOf(object, "lost");
  summary.percentiles = CurveOf(object);
  summary.mean_us = object.NumberOf("mean_us").value_or(0);
  summary.client_cpu = CpuOf(object, "client");
  summary.server_cpu = CpuOf(object, "server");
  summary.series = SeriesOf(object);
  return summary;
}

}  // namespace ringway::loadgen
