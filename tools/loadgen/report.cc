// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "ringway/tools/loadgen/format.h"

namespace ringway::loadgen {
namespace {

double RequestsPerSecond(const LoadResult& result) {
  return PerSecond(static_cast<double>(result.requests), result.measured);
}

double MegabytesPerSecond(const LoadOptions& options,
                          const LoadResult& result) {
  return RequestsPerSecond(result) * static_cast<double>(options.client.size) /
         1e6;
}

// How the connections are used.
std::string ModeText(const LoadOptions& options) {
  return options.short_connections
             ? "a connection for each request"
             : absl::StrCat(options.client.pipeline, " deep");
}

}  // namespace

std::string FormatTable(const LoadOptions& options, const LoadResult& result) {
  std::string table = absl::StrFormat(
      "%s: %d connections, %d bytes, %s, %.1f s, %s\n",
      options.target.address.ToString(), options.connections,
      options.client.size, ModeText(options),
      absl::ToDoubleSeconds(result.measured),
      options.client.verify ? "every reply compared" : "replies not compared");
  AppendRow(table, "requests", Grouped(result.requests));
  AppendRow(table, "requests/s", Grouped(RequestsPerSecond(result)));
  AppendRow(
      table, "MB/s",
      absl::StrFormat("%.1f each way", MegabytesPerSecond(options, result)));
  AppendLatencyRows(table, result.latency_ns);
  AppendRow(table, "client CPU",
            CpuText(result.client_cpu, result.requests, result.measured));
  if (result.server_cpu.has_value()) {
    AppendRow(table, "server CPU",
              CpuText(*result.server_cpu, result.requests, result.measured));
  }
  AppendErrorRows(table, result.errors);
  return table;
}

std::string FormatJson(const LoadOptions& options, const LoadResult& result) {
  return absl::StrCat(
      absl::StrFormat(
          "{\"requests_per_second\": %.1f, \"megabytes_per_second\": %.3f, ",
          RequestsPerSecond(result), MegabytesPerSecond(options, result)),
      LatencyMembers(result.latency_ns),
      absl::StrFormat(", \"requests\": %d, \"connections\": %d, \"short\": %s, "
                      "\"size\": %d, \"pipeline\": %d, \"duration_s\": %.6f",
                      result.requests, options.connections,
                      options.short_connections ? "true" : "false",
                      options.client.size, options.client.pipeline,
                      absl::ToDoubleSeconds(result.measured)),
      CpuMembers("client", result.client_cpu, result.requests, result.measured),
      CpuMembers("server", result.server_cpu, result.requests, result.measured),
      ErrorMembers(result.errors), "}");
}

}  // namespace ringway::loadgen
