// SPDX-License-Identifier: Apache-2.0
//
// A load generator, built on Ringway: every reply is checked. A closed loop, or
// an open one with a given rate; one thread or several.

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/tools/loadgen/closed_loop/closed_loop.h"
#include "ringway/tools/loadgen/closed_loop/closed_report.h"
#include "ringway/tools/loadgen/cpu_clock.h"
#include "ringway/tools/loadgen/error_counts.h"
#include "ringway/tools/loadgen/flags.h"
#include "ringway/tools/loadgen/load_options.h"
#include "ringway/tools/loadgen/open_loop/open_loop.h"
#include "ringway/tools/loadgen/open_loop/open_report.h"
#include "ringway/tools/loadgen/plot/plot.h"
#include "ringway/tools/loadgen/report/compare_command.h"
#include "ringway/tools/loadgen/report/comparison.h"
#include "ringway/tools/loadgen/report/live_line.h"
#include "ringway/tools/loadgen/report/output_files.h"
#include "ringway/tools/loadgen/report/summary.h"
#include "ringway/tools/loadgen/report/summary_json.h"
#include "ringway/tools/loadgen/report/threshold.h"

namespace {

using ringway::loadgen::ClosedLoopResult;
using ringway::loadgen::CpuClock;
using ringway::loadgen::ErrorCounts;
using ringway::loadgen::Flags;
using ringway::loadgen::LiveLine;
using ringway::loadgen::LoadOptions;
using ringway::loadgen::NamedRun;
using ringway::loadgen::OpenLoopOptions;
using ringway::loadgen::OpenLoopResult;
using ringway::loadgen::OutputFiles;
using ringway::loadgen::Progress;
using ringway::loadgen::Summary;

// Exit codes, besides 0 and that of CommandLine.
constexpr int kFailed = 1;
constexpr int kThresholdCrossed = 3;

std::atomic<bool> interrupted{false};

// The first SIGINT ends the run with the figures so far, the second the
// process.
void HandleSigint() {
  struct sigaction action = {};
  action.sa_handler = [](int) {
    interrupted.store(true, std::memory_order_relaxed);
  };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
}

// On a terminal only, and in one line that is overwritten.
void ShowLive(LoadOptions& options) {
  options.on_progress = [line = LiveLine()](const Progress& progress) mutable {
    fprintf(stderr, "\r\x1b[K%s", line.Text(progress).c_str());
  };
}

void ClearLive(const LoadOptions& options) {
  if (options.on_progress) fprintf(stderr, "\r\x1b[K");
}

int CannotRun(const absl::Status& why) {
  fprintf(stderr, "loadgen: %s\n", std::string(why.message()).c_str());
  return kFailed;
}

// What there is to print instead of a table of zeros.
int NoReply(const ErrorCounts& errors) {
  return CannotRun(absl::UnavailableError(
      errors.total() == 0
          ? "no reply came while it was measured"
          : absl::StrCat("no reply came, and there were ", errors.total(),
                         " errors; the first: ", errors.first())));
}

absl::Status WriteFiles(const OutputFiles& files, const std::string& json,
                        const Summary& summary) {
  absl::Status written;
  if (!files.json.empty())
    written.Update(ringway::loadgen::WriteFile(files.json, json + "\n"));
  if (!files.csv.empty())
    written.Update(ringway::loadgen::WriteFile(files.csv, FormatCsv(summary)));
  if (!files.plot.empty()) {
    NamedRun run;
    run.summary = summary;
    written.Update(ringway::loadgen::WriteFile(
        files.plot, ringway::loadgen::DrawPlot({run})));
  }
  return written;
}

// Prints and writes a run, which was answered; the exit code.
int Report(const Flags& flags, const std::string& table, std::string json,
           const Summary& summary) {
  json = WithSummary(std::move(json), summary);
  fputs(flags.json ? (json + "\n").c_str() : table.c_str(), stdout);
  if (absl::Status written = WriteFiles(flags.files, json, summary);
      !written.ok()) {
    return CannotRun(written);
  }
  const std::vector<std::string> crossed = Crossed(flags.fail_if, summary);
  for (const std::string& threshold : crossed)
    fprintf(stderr, "loadgen: %s\n", threshold.c_str());
  if (!crossed.empty()) return kThresholdCrossed;
  return summary.errors == 0 || LimitsErrors(flags.fail_if) ? 0 : kFailed;
}

// Both run, report, and return the exit code.
int MeasureClosed(const Flags& flags) {
  const LoadOptions& options = flags.open.load;
  const absl::StatusOr<ClosedLoopResult> result =
      ringway::loadgen::RunClosedLoopOnWorkers(options);
  ClearLive(options);
  if (!result.ok()) return CannotRun(result.status());
  if (result->requests == 0) return NoReply(result->errors);
  return Report(flags, FormatClosedTable(options, *result),
                FormatClosedJson(options, *result),
                SummaryOf(options, *result));
}

int MeasureOpen(const Flags& flags) {
  const OpenLoopOptions& options = flags.open;
  const absl::StatusOr<OpenLoopResult> result =
      ringway::loadgen::RunOpenLoopOnWorkers(options);
  ClearLive(options.load);
  if (!result.ok()) return CannotRun(result.status());
  if (result->total.answered == 0) return NoReply(result->errors);
  const int code =
      Report(flags, FormatOpenTable(options, *result),
             FormatOpenJson(options, *result), SummaryOf(options, *result));
  const std::string warning = ringway::loadgen::LatenessWarning(*result);
  if (!warning.empty()) fprintf(stderr, "loadgen: %s\n", warning.c_str());
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  if (std::optional<int> code = ringway::loadgen::RunCompare(argc, argv))
    return *code;
  Flags flags;
  if (std::optional<int> code =
          ringway::loadgen::ParseFlags(argc, argv, flags)) {
    return *code;
  }
  OpenLoopOptions& options = flags.open;
  if (flags.server_pid > 0) {
    absl::StatusOr<CpuClock> server = CpuClock::Of(flags.server_pid);
    if (!server.ok()) return CannotRun(server.status());
    options.load.server_cpu = *server;
    options.server_memory.emplace(static_cast<pid_t>(flags.server_pid));
  }
  if (absl::Status writable = ringway::loadgen::PrepareFiles(flags.files);
      !writable.ok()) {
    return CannotRun(writable);
  }
  HandleSigint();
  options.load.stop = &interrupted;
  if (!flags.quiet && !flags.json && isatty(STDOUT_FILENO) == 1 &&
      isatty(STDERR_FILENO) == 1) {
    ShowLive(options.load);
  }
  return options.phases.empty() ? MeasureClosed(flags) : MeasureOpen(flags);
}
