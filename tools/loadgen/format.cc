// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/format.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ringway::loadgen {
namespace {

double CpuMicroseconds(absl::Duration cpu, uint64_t requests) {
  return requests == 0
             ? 0
             : absl::ToDoubleMicroseconds(cpu) / static_cast<double>(requests);
}

double CpuShare(absl::Duration cpu, absl::Duration measured) {
  return PerSecond(absl::ToDoubleSeconds(cpu), measured);
}

}  // namespace

std::string JsonString(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&quoted, "\\u%04x", c);
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string Grouped(uint64_t n) {
  std::string digits = absl::StrCat(n);
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string Grouped(double n) { return Grouped(static_cast<uint64_t>(n)); }

double PerSecond(double amount, absl::Duration time) {
  return time > absl::ZeroDuration() ? amount / absl::ToDoubleSeconds(time) : 0;
}

double Microseconds(const Histogram& ns, double percentile) {
  return static_cast<double>(ns.ValueAtPercentile(percentile)) / 1000;
}

std::string CpuText(absl::Duration cpu, uint64_t requests,
                    absl::Duration measured) {
  return absl::StrFormat("%.2f us per request, %.0f %% of a core",
                         CpuMicroseconds(cpu, requests),
                         100 * CpuShare(cpu, measured));
}

void AppendRow(std::string& table, std::string_view name,
               std::string_view value) {
  absl::StrAppendFormat(&table, "  %-12s  %s\n", name, value);
}

void AppendLatencyRows(std::string& table, const Histogram& ns) {
  for (const double p : {50.0, 90.0, 99.0, 99.9}) {
    AppendRow(table, absl::StrCat("p", p),
              absl::StrFormat("%.1f us", Microseconds(ns, p)));
  }
  AppendRow(table, "max", absl::StrFormat("%.1f us", Microseconds(ns, 100)));
}

void AppendErrorRows(std::string& table, const ErrorCounts& errors) {
  AppendRow(table, "errors", Grouped(errors.total()));
  for (const ErrorKind kind : kErrorKinds) {
    if (errors.count(kind) == 0) continue;
    AppendRow(table, absl::StrCat("  ", std::string(ErrorKindName(kind))),
              absl::StrCat(Grouped(errors.count(kind)),
                           "; the first: ", errors.first(kind)));
  }
}

std::string LatencyMembers(const Histogram& ns) {
  return absl::StrFormat(
      "\"p50_us\": %.3f, \"p90_us\": %.3f, \"p99_us\": %.3f, "
      "\"p999_us\": %.3f, \"max_us\": %.3f",
      Microseconds(ns, 50), Microseconds(ns, 90), Microseconds(ns, 99),
      Microseconds(ns, 99.9), Microseconds(ns, 100));
}

std::string CpuMembers(std::string_view name, std::optional<absl::Duration> cpu,
                       uint64_t requests, absl::Duration measured) {
  if (!cpu.has_value()) return "";
  return absl::StrFormat(
      ", \"%s_cpu_us_per_request\": %.4f, \"%s_cpu_share\": %.4f", name,
      CpuMicroseconds(*cpu, requests), name, CpuShare(*cpu, measured));
}

std::string ErrorMembers(const ErrorCounts& errors) {
  std::string json = absl::StrCat(", \"errors\": ", errors.total());
  if (errors.total() == 0) return json;
  absl::StrAppend(&json, ", \"first_error\": ", JsonString(errors.first()),
                  ", \"errors_by_kind\": {");
  std::string_view separator;
  for (const ErrorKind kind : kErrorKinds) {
    if (errors.count(kind) == 0) continue;
    absl::StrAppendFormat(&json, "%s\"%s\": {\"count\": %d, \"first\": %s}",
                          separator, ErrorKindName(kind), errors.count(kind),
                          JsonString(errors.first(kind)));
    separator = ", ";
  }
  return json + "}";
}

}  // namespace ringway::loadgen
