// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/summary.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "ringway/tools/loadgen/format.h"
#include "ringway/tools/loadgen/load_text.h"

namespace ringway::loadgen {
namespace {

CpuUse CpuUseOf(absl::Duration cpu, uint64_t requests,
                absl::Duration measured) {
  return CpuUse(requests == 0 ? 0
                              : absl::ToDoubleMicroseconds(cpu) /
                                    static_cast<double>(requests),
                PerSecond(absl::ToDoubleSeconds(cpu), measured));
}

std::string ProtocolText(const Mode& mode) {
  switch (mode.protocol) {
    case Protocol::kEcho:
      break;
    case Protocol::kUdp:
      return ", UDP";
    case Protocol::kHttp1:
      return ", HTTP/1.1";
    case Protocol::kHttp2:
      return absl::StrCat(", HTTP/2, ", mode.depth, " streams each");
  }
  return "";
}

// What both loops have in common.
std::string LoadText(const LoadOptions& options) {
  return absl::StrCat(ConnectionsText(options), ", ", RequestText(options.mode),
                      options.mode.target.tls.has_value() ? ", TLS" : "",
                      ProtocolText(options.mode));
}

std::string RatesText(const std::vector<Phase>& phases) {
  constexpr size_t kMostShown = 3;
  if (phases.size() == 1) return absl::StrCat(phases[0].per_second, "/s");
  std::string text;
  for (size_t i = 0; i < phases.size(); ++i) {
    if (i == kMostShown) return absl::StrCat(text, ", ...");
    absl::StrAppend(&text, i > 0 ? ", " : "", PhaseText(phases[i]));
  }
  return text;
}

Summary CommonOf(const LoadOptions& options, absl::Duration measured,
                 const ErrorCounts& errors, const Histogram& latency_ns) {
  Summary summary;
  summary.server = ServerText(options.mode);
  summary.seconds = absl::ToDoubleSeconds(measured);
  summary.request_bytes = ReplyBytes(options.mode);
  summary.errors = errors.total();
  summary.mean_us = latency_ns.mean() / 1000;
  summary.percentiles = PercentileCurve(latency_ns);
  return summary;
}

}  // namespace

Summary SummaryOf(const LoadOptions& options, const ClosedLoopResult& result) {
  Summary summary =
      CommonOf(options, result.measured, result.errors, result.latency_ns);
  summary.load = absl::StrCat("closed loop, ", LoadText(options));
  if (options.mode.depth > 1 && options.mode.protocol != Protocol::kHttp2)
    absl::StrAppend(&summary.load, ", ", options.mode.depth, " deep");
  summary.requests = result.requests;
  if (options.mode.protocol == Protocol::kUdp) summary.lost = result.lost;
  summary.per_second =
      PerSecond(static_cast<double>(result.requests), result.measured);
  summary.client_cpu =
      CpuUseOf(result.client_cpu, result.requests, result.measured);
  if (result.server_cpu.has_value()) {
    summary.server_cpu =
        CpuUseOf(*result.server_cpu, result.requests, result.measured);
  }
  summary.series = result.series;
  return summary;
}

Summary SummaryOf(const OpenLoopOptions& options,
                  const OpenLoopResult& result) {
  const PhaseCounts& total = result.total;
  Summary summary =
      CommonOf(options.load, total.took, result.errors, total.latency_ns);
  summary.load = absl::StrCat("open loop, ", RatesText(options.phases), " ",
                              std::string(ArrivalKindName(options.arrivals)),
                              ", ", LoadText(options.load));
  summary.requests = total.answered;
  summary.per_second =
      PerSecond(static_cast<double>(total.answers), total.took);
  summary.open.emplace();
  summary.open->offered = total.offered;
  summary.open->dropped = total.dropped;
  summary.lost = total.lost;
  summary.client_cpu = CpuUseOf(result.client_cpu, total.answers, total.took);
  if (result.server_cpu.has_value()) {
    summary.server_cpu =
        CpuUseOf(*result.server_cpu, total.answers, total.took);
  }
  summary.series = result.series;
  return summary;
}

std::string FormatCsv(const Summary& summary) {
  std::string csv =
      "time_s,duration_s,offered,requests,bytes,errors,requests_per_second,"
      "p50_us,p99_us,max_us\n";
  for (const SeriesRow& row : summary.series) {
    absl::StrAppendFormat(
        &csv, "%.3f,%.6f,%d,%d,%d,%d,%.1f,", absl::ToDoubleSeconds(row.begin),
        absl::ToDoubleSeconds(row.length), row.offered, row.requests,
        row.requests * summary.request_bytes, row.errors,
        PerSecond(static_cast<double>(row.requests), row.length));
    if (row.requests == 0) {
      csv += ",,\n";
    } else {
      absl::StrAppendFormat(&csv, "%.3f,%.3f,%.3f\n",
                            static_cast<double>(row.p50_ns) / 1000,
                            static_cast<double>(row.p99_ns) / 1000,
                            static_cast<double>(row.max_ns) / 1000);
    }
  }
  return csv;
}

}  // namespace ringway::loadgen
