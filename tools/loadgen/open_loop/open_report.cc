// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/open_report.h"

#include <cstdint>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "ringway/tools/loadgen/format.h"
#include "ringway/tools/loadgen/load_text.h"

namespace ringway::loadgen {
namespace {

// Warn if more than one request in this many was offered late.
constexpr uint64_t kOneInLate = 100;

double Goodput(const PhaseCounts& counts) {
  return PerSecond(static_cast<double>(counts.answers), counts.took);
}

double OfferedPerSecond(const PhaseCounts& counts) {
  return PerSecond(static_cast<double>(counts.offered), counts.took);
}

std::string ArrivalsText(const OpenLoopOptions& options) {
  return options.arrivals == ArrivalKind::kUniform
             ? "uniform arrivals"
             : absl::StrCat("poisson arrivals (seed ", options.seed, ")");
}

std::string LateText(const PhaseCounts& counts) {
  return absl::StrFormat(
      "p50 %.1f us, p99 %.1f us, at most %.1f us; %s requests by more than "
      "1 ms",
      Microseconds(counts.late_ns, 50), Microseconds(counts.late_ns, 99),
      Microseconds(counts.late_ns, 100), Grouped(counts.offered_late));
}

std::string RecoveredText(const PhaseCounts& counts) {
  return counts.recovered_after.has_value()
             ? absl::StrFormat("after %.1f s",
                               absl::ToDoubleSeconds(*counts.recovered_after))
             : "never";
}

std::string PhaseLine(const Phase& phase, const PhaseCounts& counts) {
  std::string line = absl::StrFormat(
      "%-14s goodput %s/s, p50 %.1f us, p99 %.1f us, %s dropped, %s errors",
      PhaseText(phase), Grouped(Goodput(counts)),
      Microseconds(counts.latency_ns, 50), Microseconds(counts.latency_ns, 99),
      Grouped(counts.dropped), Grouped(counts.errors));
  if (counts.server_rss_bytes > 0) {
    absl::StrAppendFormat(
        &line, ", server RSS %.1f MiB",
        static_cast<double>(counts.server_rss_bytes) / (1 << 20));
  }
  return absl::StrCat(line, ", recovered ", RecoveredText(counts));
}

// What the total and a phase have in common.
std::string PhaseMembers(const PhaseCounts& counts) {
  std::string json = absl::StrFormat(
      "\"duration_s\": %.6f, \"goodput_per_second\": %.1f, "
      "\"offered_per_second\": %.1f, \"offered\": %d, \"sent\": %d, "
      "\"answered\": %d, \"dropped\": %d, \"lost\": %d, \"backlog\": %d, %s, "
      "\"send_delay_max_us\": %.3f, \"late\": %d, \"late_p50_us\": %.3f, "
      "\"late_p99_us\": %.3f, \"late_max_us\": %.3f",
      absl::ToDoubleSeconds(counts.took), Goodput(counts),
      OfferedPerSecond(counts), counts.offered, counts.sent, counts.answered,
      counts.dropped, counts.lost, counts.backlog,
      LatencyMembers(counts.latency_ns),
      static_cast<double>(counts.send_delay_max_ns) / 1000, counts.offered_late,
      Microseconds(counts.late_ns, 50), Microseconds(counts.late_ns, 99),
      Microseconds(counts.late_ns, 100));
  if (counts.server_rss_bytes > 0) {
    absl::StrAppend(&json, ", \"server_rss_bytes\": ", counts.server_rss_bytes);
  }
  return json;
}

std::string PhaseObject(const Phase& phase, const PhaseCounts& counts) {
  std::string json = absl::StrFormat(
      "{\"rate\": %d, %s, \"errors\": %d, \"recovered_after_s\": ",
      phase.per_second, PhaseMembers(counts), counts.errors);
  if (counts.recovered_after.has_value()) {
    absl::StrAppendFormat(&json, "%.3f",
                          absl::ToDoubleSeconds(*counts.recovered_after));
  } else {
    json += "null";
  }
  return json + "}";
}

}  // namespace

std::string FormatOpenTable(const OpenLoopOptions& options,
                            const OpenLoopResult& result) {
  const LoadOptions& load = options.load;
  const PhaseCounts& total = result.total;
  std::string table = absl::StrFormat(
      "%s: open loop, %s, %s, %s, %.1f s, %s\n", ServerText(load.mode),
      ArrivalsText(options), ConnectionsText(load), RequestText(load.mode),
      absl::ToDoubleSeconds(total.took), VerifyText(load.mode));
  AppendOpeningRow(table, load, result.opening);
  AppendRow(table, "offered",
            absl::StrCat(Grouped(total.offered), ", ",
                         Grouped(OfferedPerSecond(total)), "/s"));
  AppendRow(table, "sent", Grouped(total.sent));
  AppendRow(table, "answered", Grouped(total.answered));
  AppendRow(table, "goodput/s", Grouped(Goodput(total)));
  AppendRow(table, "dropped",
            absl::StrCat(Grouped(total.dropped), "; the queue holds ",
                         Grouped(options.queue)));
  if (load.mode.protocol == Protocol::kUdp) {
    AppendLostRows(table, total.lost, total.strays);
  } else {
    AppendRow(table, "lost", Grouped(total.lost));
  }
  AppendRow(
      table, "backlog",
      absl::StrFormat("%s at the end, %s of them never answered",
                      Grouped(total.backlog), Grouped(result.unanswered)));
  AppendLatencyRows(table, total.latency_ns);
  AppendRow(
      table, "send delay",
      absl::StrFormat("at most %.1f us",
                      static_cast<double>(total.send_delay_max_ns) / 1000));
  AppendRow(table, "late", LateText(total));
  AppendRow(table, "client CPU",
            CpuText(result.client_cpu, total.answers, total.took));
  if (result.server_cpu.has_value()) {
    AppendRow(table, "server CPU",
              CpuText(*result.server_cpu, total.answers, total.took));
  }
  AppendReopenedRow(table, load.mode, total.reopened);
  AppendErrorRows(table, result.errors);
  if (options.phases.size() == 1) return table;
  for (size_t i = 0; i < result.phases.size(); ++i) {
    AppendRow(table, absl::StrCat("phase ", i + 1),
              PhaseLine(options.phases[i], result.phases[i]));
  }
  return table;
}

std::string FormatOpenJson(const OpenLoopOptions& options,
                           const OpenLoopResult& result) {
  const LoadOptions& load = options.load;
  const PhaseCounts& total = result.total;
  std::string json = absl::StrCat(
      "{", PhaseMembers(total),
      absl::StrFormat(
          ", \"unanswered\": %d, \"queue\": %d, \"arrivals\": \"%s\", "
          "\"seed\": %d",
          result.unanswered, options.queue, ArrivalKindName(options.arrivals),
          options.seed),
      ModeMembers(load), OpeningMembers(load, result.opening),
      CountMembers(load.mode, total.strays, total.reopened),
      CpuMembers("client", result.client_cpu, total.answers, total.took),
      CpuMembers("server", result.server_cpu, total.answers, total.took),
      ErrorMembers(result.errors), ", \"phases\": [");
  std::string_view separator;
  for (size_t i = 0; i < result.phases.size(); ++i) {
    absl::StrAppendFormat(&json, "%s%s", separator,
                          PhaseObject(options.phases[i], result.phases[i]));
    separator = ", ";
  }
  return json + "]}";
}

std::string LatenessWarning(const OpenLoopResult& result) {
  const PhaseCounts& total = result.total;
  if (total.offered_late * kOneInLate <= total.offered) return "";
  return absl::StrFormat(
      "the generator itself was late: %.1f %% of the requests by more than "
      "1 ms, at most by %.1f ms; the latencies include that",
      100 * static_cast<double>(total.offered_late) /
          static_cast<double>(total.offered),
      Microseconds(total.late_ns, 100) / 1000);
}

}  // namespace ringway::loadgen
