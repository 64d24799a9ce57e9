// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report.h"

#include <cstdint>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace ringway::loadgen {
namespace {

// "1,234,567".
std::string Grouped(uint64_t n) {
  std::string digits = absl::StrCat(n);
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

double PerSecond(double amount, absl::Duration time) {
  return time > absl::ZeroDuration() ? amount / absl::ToDoubleSeconds(time) : 0;
}

double RequestsPerSecond(const LoadResult& result) {
  return PerSecond(static_cast<double>(result.requests), result.measured);
}

double MegabytesPerSecond(const LoadOptions& options,
                          const LoadResult& result) {
  return RequestsPerSecond(result) * static_cast<double>(options.client.size) /
         1e6;
}

double MicrosecondsPerRequest(absl::Duration cpu, const LoadResult& result) {
  return result.requests == 0 ? 0
                              : absl::ToDoubleMicroseconds(cpu) /
                                    static_cast<double>(result.requests);
}

double Microseconds(const LoadResult& result, double percentile) {
  return static_cast<double>(result.latency_ns.ValueAtPercentile(percentile)) /
         1000;
}

std::string CpuText(absl::Duration cpu, const LoadResult& result) {
  return absl::StrFormat(
      "%.2f us per request, %.0f %% of a core",
      MicrosecondsPerRequest(cpu, result),
      100 * PerSecond(absl::ToDoubleSeconds(cpu), result.measured));
}

void AppendRow(std::string& table, std::string_view name,
               std::string_view value) {
  absl::StrAppendFormat(&table, "  %-12s  %s\n", name, value);
}

// A JSON string literal.
std::string Quoted(std::string_view text) {
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

}  // namespace

std::string FormatTable(const LoadOptions& options, const LoadResult& result) {
  std::string table = absl::StrFormat(
      "%s: %d connections, %d bytes, %d deep, %.1f s, %s\n",
      options.address.ToString(), options.connections, options.client.size,
      options.client.pipeline, absl::ToDoubleSeconds(result.measured),
      options.client.verify ? "every reply compared" : "replies not compared");
  AppendRow(table, "requests", Grouped(result.requests));
  AppendRow(table, "requests/s",
            Grouped(static_cast<uint64_t>(RequestsPerSecond(result))));
  AppendRow(
      table, "MB/s",
      absl::StrFormat("%.1f each way", MegabytesPerSecond(options, result)));
  for (const double p : {50.0, 90.0, 99.0, 99.9}) {
    AppendRow(table, absl::StrCat("p", p),
              absl::StrFormat("%.1f us", Microseconds(result, p)));
  }
  AppendRow(table, "max",
            absl::StrFormat("%.1f us", Microseconds(result, 100)));
  AppendRow(table, "client CPU", CpuText(result.client_cpu, result));
  if (result.server_cpu.has_value())
    AppendRow(table, "server CPU", CpuText(*result.server_cpu, result));
  AppendRow(table, "errors",
            result.errors == 0
                ? "0"
                : absl::StrCat(Grouped(result.errors),
                               "; the first: ", result.first_error));
  return table;
}

std::string FormatJson(const LoadOptions& options, const LoadResult& result) {
  std::string json = absl::StrFormat(
      "{\"requests_per_second\": %.1f, \"megabytes_per_second\": %.3f, "
      "\"p50_us\": %.3f, \"p90_us\": %.3f, \"p99_us\": %.3f, "
      "\"p999_us\": %.3f, \"max_us\": %.3f, \"requests\": %d, "
      "\"errors\": %d, \"connections\": %d, \"size\": %d, \"pipeline\": %d, "
      "\"duration_s\": %.6f, \"client_cpu_us_per_request\": %.4f, "
      "\"client_cpu_share\": %.4f",
      RequestsPerSecond(result), MegabytesPerSecond(options, result),
      Microseconds(result, 50), Microseconds(result, 90),
      Microseconds(result, 99), Microseconds(result, 99.9),
      Microseconds(result, 100), result.requests, result.errors,
      options.connections, options.client.size, options.client.pipeline,
      absl::ToDoubleSeconds(result.measured),
      MicrosecondsPerRequest(result.client_cpu, result),
      PerSecond(absl::ToDoubleSeconds(result.client_cpu), result.measured));
  if (result.server_cpu.has_value()) {
    absl::StrAppendFormat(
        &json,
        ", \"server_cpu_us_per_request\": %.4f, \"server_cpu_share\": %.4f",
        MicrosecondsPerRequest(*result.server_cpu, result),
        PerSecond(absl::ToDoubleSeconds(*result.server_cpu), result.measured));
  }
  if (result.errors > 0)
    absl::StrAppend(&json, ", \"first_error\": ", Quoted(result.first_error));
  return json + "}";
}

}  // namespace ringway::loadgen
