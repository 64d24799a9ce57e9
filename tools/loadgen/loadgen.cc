// SPDX-License-Identifier: Apache-2.0
//
// A load generator for echo servers, built on Ringway: one thread, every reply
// compared byte for byte. A closed loop, or an open one with a given rate.

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/tools/loadgen/cpu_clock.h"
#include "ringway/tools/loadgen/error_counts.h"
#include "ringway/tools/loadgen/flags.h"
#include "ringway/tools/loadgen/load.h"
#include "ringway/tools/loadgen/open_loop/open_loop.h"
#include "ringway/tools/loadgen/open_loop/open_report.h"
#include "ringway/tools/loadgen/report.h"

namespace {

using ringway::loadgen::CpuClock;
using ringway::loadgen::LoadOptions;
using ringway::loadgen::LoadResult;
using ringway::loadgen::OpenLoopOptions;
using ringway::loadgen::OpenLoopResult;
using ringway::loadgen::Progress;

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

absl::Status PinTo(int cpu) {
  if (cpu < 0) return absl::OkStatus();
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus);
  if (sched_setaffinity(0, sizeof(cpus), &cpus) == 0) return absl::OkStatus();
  return ringway::ErrnoToStatus(errno, absl::StrCat("pinning to CPU ", cpu));
}

void ShowProgress(const Progress& progress) {
  const double seconds = absl::ToDoubleSeconds(progress.elapsed);
  fprintf(stderr, "\r  %.0f s: %.0f requests/s, %llu errors   ", seconds,
          static_cast<double>(progress.requests) / seconds,
          static_cast<unsigned long long>(progress.errors));
}

void ClearProgress(const LoadOptions& options) {
  if (options.on_progress) fprintf(stderr, "\r\x1b[K");
}

int CannotRun(const absl::Status& why) {
  fprintf(stderr, "loadgen: %s\n", std::string(why.message()).c_str());
  return 1;
}

// What there is to print instead of a table of zeros.
int NoReply(const ringway::loadgen::ErrorCounts& errors) {
  return CannotRun(absl::UnavailableError(
      errors.total() == 0
          ? "no reply came while it was measured"
          : absl::StrCat("no reply came, and ", errors.total(),
                         " connections failed; the first: ", errors.first())));
}

// Runs and reports; the exit code.
int MeasureClosed(ringway::Executor& executor, const LoadOptions& options,
                  bool json) {
  const LoadResult result = ringway::loadgen::RunLoad(executor, options);
  ClearProgress(options);
  if (result.requests == 0) return NoReply(result.errors);
  const std::string report =
      json ? ringway::loadgen::FormatJson(options, result) + "\n"
           : ringway::loadgen::FormatTable(options, result);
  fputs(report.c_str(), stdout);
  return result.errors.total() == 0 ? 0 : 1;
}

int MeasureOpen(ringway::Executor& executor, const OpenLoopOptions& options,
                bool json) {
  // Wakes the pacer when a request is due and not up to 50 us later.
  prctl(PR_SET_TIMERSLACK, 1);
  const OpenLoopResult result =
      ringway::loadgen::RunOpenLoop(executor, options);
  ClearProgress(options.load);
  if (result.total.answered == 0) return NoReply(result.errors);
  const std::string report =
      json ? ringway::loadgen::FormatOpenJson(options, result) + "\n"
           : ringway::loadgen::FormatOpenTable(options, result);
  fputs(report.c_str(), stdout);
  const std::string warning = ringway::loadgen::LatenessWarning(result);
  if (!warning.empty()) fprintf(stderr, "loadgen: %s\n", warning.c_str());
  return result.errors.total() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  ringway::loadgen::Flags flags;
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
  if (absl::Status pinned = PinTo(flags.pin); !pinned.ok())
    return CannotRun(pinned);
  absl::StatusOr<std::unique_ptr<ringway::Executor>> executor =
      ringway::Executor::Create();
  if (!executor.ok()) return CannotRun(executor.status());
  HandleSigint();
  options.load.stop = &interrupted;
  if (isatty(STDERR_FILENO) == 1) options.load.on_progress = &ShowProgress;
  return options.phases.empty()
             ? MeasureClosed(**executor, options.load, flags.json)
             : MeasureOpen(**executor, options, flags.json);
}
