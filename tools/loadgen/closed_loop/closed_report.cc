// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/closed_loop/closed_report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "ringway/tools/loadgen/format.h"
#include "ringway/tools/loadgen/load_text.h"

namespace ringway::loadgen {
namespace {

double RequestsPerSecond(const ClosedLoopResult& result) {
  return PerSecond(static_cast<double>(result.requests), result.measured);
}

double MegabytesPerSecond(const LoadOptions& options,
                          const ClosedLoopResult& result) {
  return RequestsPerSecond(result) * static_cast<double>(options.mode.size) /
         1e6;
}

// How the connections are used.
std::string DepthText(const LoadOptions& options) {
  return options.short_connections ? "a connection for each request"
                                   : absl::StrCat(options.mode.depth, " deep");
}

}  // namespace

std::string FormatClosedTable(const LoadOptions& options,
                              const ClosedLoopResult& result) {
  std::string table = absl::StrFormat(
      "%s: %s, %s, %s, %.1f s, %s\n", ServerText(options.mode),
      ConnectionsText(options), RequestText(options.mode), DepthText(options),
      absl::ToDoubleSeconds(result.measured), VerifyText(options.mode));
  AppendOpeningRow(table, options, result.opening);
  AppendRow(table, "requests", Grouped(result.requests));
  AppendRow(table, "requests/s", Grouped(RequestsPerSecond(result)));
  AppendRow(
      table, "MB/s",
      absl::StrFormat("%.1f each way", MegabytesPerSecond(options, result)));
  if (options.mode.protocol == Protocol::kUdp)
    AppendLostRows(table, result.lost, result.strays);
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

std::string FormatClosedJson(const LoadOptions& options,
                             const ClosedLoopResult& result) {
  return absl::StrCat(
      absl::StrFormat(
          "{\"requests_per_second\": %.1f, \"megabytes_per_second\": %.3f, ",
          RequestsPerSecond(result), MegabytesPerSecond(options, result)),
      LatencyMembers(result.latency_ns),
      absl::StrFormat(", \"requests\": %d, \"pipeline\": %d, "
                      "\"duration_s\": %.6f",
                      result.requests, options.mode.depth,
                      absl::ToDoubleSeconds(result.measured)),
      ModeMembers(options), OpeningMembers(options, result.opening),
      options.mode.protocol == Protocol::kUdp
          ? absl::StrFormat(", \"lost\": %d, \"strays\": %d", result.lost,
                            result.strays)
          : "",
      CpuMembers("client", result.client_cpu, result.requests, result.measured),
      CpuMembers("server", result.server_cpu, result.requests, result.measured),
      ErrorMembers(result.errors), "}");
}

}  // namespace ringway::loadgen
