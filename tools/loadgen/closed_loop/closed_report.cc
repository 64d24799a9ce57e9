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
  return RequestsPerSecond(result) *
         static_cast<double>(ReplyBytes(options.mode)) / 1e6;
}

// How the connections are used.
std::string DepthText(const LoadOptions& options) {
  if (options.short_connections) return "a connection for each request";
  return absl::StrCat(
      options.mode.depth,
      options.mode.protocol == Protocol::kHttp2 ? " streams each" : " deep");
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
  AppendRow(table, "MB/s",
            absl::StrFormat(
                "%.1f %s", MegabytesPerSecond(options, result),
                IsHttp(options.mode.protocol) ? "of bodies" : "each way"));
  if (options.mode.protocol == Protocol::kUdp)
    AppendLostRows(table, result.lost, result.strays);
  AppendLatencyRows(table, result.latency_ns);
  AppendRow(table, "client CPU",
            CpuText(result.client_cpu, result.requests, result.measured));
  if (result.server_cpu.has_value()) {
    AppendRow(table, "server CPU",
              CpuText(*result.server_cpu, result.requests, result.measured));
  }
  AppendReopenedRow(table, options.mode, result.reopened);
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
          ? absl::StrCat(", \"lost\": ", result.lost)
          : "",
      CountMembers(options.mode, result.strays, result.reopened),
      CpuMembers("client", result.client_cpu, result.requests, result.measured),
      CpuMembers("server", result.server_cpu, result.requests, result.measured),
      ErrorMembers(result.errors), "}");
}

}  // namespace ringway::loadgen
