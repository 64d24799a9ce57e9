// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <new>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/runtime/end_signals.h"
#include "ringway/runtime/heartbeat.h"
#include "ringway/runtime/host/service_manager.h"
#include "ringway/runtime/runtime.h"
#include "ringway/runtime/runtime_config.h"

namespace ringway {
namespace {

int CannotStart(const absl::Status& status) {
  const std::string message(status.message());
  fprintf(stderr, "cannot start: %s\n", message.c_str());
  return 1;
}

// What a service manager does not hear does not keep a server from serving.
void Say(const absl::Status& notice) {
  if (notice.ok()) return;
  fprintf(stderr, "ringway: %.*s\n", static_cast<int>(notice.message().size()),
          notice.message().data());
}

void PrintBegin(const Runtime& runtime) {
  for (const net::SocketAddress& address : runtime.addresses()) {
    printf("listening on %s\n", address.ToString().c_str());
  }
  for (const net::SocketAddress& address : runtime.udp_addresses()) {
    printf("listening on udp %s\n", address.ToString().c_str());
  }
  if (runtime.metrics_address().family() != AF_UNSPEC) {
    printf("metrics on %s\n", runtime.metrics_address().ToString().c_str());
  }
  printf("backend: %s\n", runtime.backend_description().c_str());
  fflush(stdout);
}

// Empty if there is no memory for it.
std::string NameOf(absl::StatusCode code) try {
  return absl::StatusCodeToString(code);
} catch (const std::bad_alloc&) {
  return {};
}

// " (3 UNAVAILABLE, 1 CANCELLED)", if any connection ended with an error.
void PrintErrorCodes(const RuntimeReport& report) {
  const char* separator = " (";
  for (size_t i = 1; i < report.ended_by_code.size(); ++i) {
    const uint64_t n = report.ended_by_code[i];
    if (n == 0) continue;
    printf("%s%" PRIu64 " %s", separator, n,
           NameOf(static_cast<absl::StatusCode>(i)).c_str());
    separator = ", ";
  }
  if (report.ended_error > 0) printf(")");
}

void PrintReport(const RuntimeReport& report) {
  printf("connections: %" PRIu64 " accepted, %" PRIu64 " ended well, %" PRIu64
         " with an error",
         report.accepted, report.ended_ok, report.ended_error);
  PrintErrorCodes(report);
  printf(", %" PRIu64 " by an exception, %" PRIu64 " refused, %" PRIu64
         " cut\n",
         report.ended_throw, report.refused, report.cut);
  if (report.start_failed > 0) {
    printf("OnStart failed on %" PRIu64 " workers\n", report.start_failed);
  }
  if (report.listeners_failed > 0)
    printf("listeners that failed: %" PRIu64 "\n", report.listeners_failed);
  if (report.exceptions > 0)
    printf("exceptions contained: %" PRIu64 "\n", report.exceptions);
  printf("operations: %" PRIu64 " in %" PRIu64 " turns, %" PRIu64
         " with a spin, and %" PRIu64 " system calls\n",
         report.operations, report.turns, report.spins, report.system_calls);
  if (report.accepted_late > 0) {
    printf("accepted after the shutdown had begun: %" PRIu64 "\n",
           report.accepted_late);
  }
  if (report.stop_failed > 0)
    printf("OnStop failed: %" PRIu64 "\n", report.stop_failed);
  if (report.forced > 0) {
    printf("destroyed, because a cancel did not end them: %" PRIu64 "\n",
           report.forced);
  }
  printf(report.drained() ? "drained\n"
                          : "not drained: connections had to be cut\n");
  fflush(stdout);
}

}  // namespace

// After the first signal no resources are allocated: shutdown has all it
// needs.
int RunUntilSignal(RuntimeBuilder& builder, absl::Duration limit) {
  internal::EndSignals signals;
  if (absl::Status s = signals.Install(); !s.ok()) return CannotStart(s);
  absl::StatusOr<ServiceManager*> found = builder.ReadManager();
  if (!found.ok()) return CannotStart(found.status());
  const ServiceManager& manager = **found;
  builder.config_->on_worker_end = &internal::EndSignals::Wake;
  absl::StatusOr<std::unique_ptr<Runtime>> launched = builder.Launch();
  builder.config_->on_worker_end = nullptr;
  if (!launched.ok()) return CannotStart(launched.status());
  Runtime& runtime = **launched;
  PrintBegin(runtime);
  Say(manager.Ready());

  const Clock& clock = Clock::Real();
  const MonotonicTime end = clock.Now() + limit;
  internal::Heartbeat heartbeat(runtime.workers(), manager.watchdog_interval());
  while (signals.count() == 0 && clock.Now() < end) {
    signals.WaitUntil(std::min(end, heartbeat.next()));
    if (heartbeat.Beat(clock.Now())) Say(manager.Watchdog());
  }
  Say(manager.Stopping());
  // A further signal cuts the drain.
  const uint64_t enough = std::min<uint64_t>(signals.count(), 1);
  runtime.Shutdown();
  while (!runtime.HasEnded()) {
    if (signals.count() > enough) runtime.Cut();
    signals.WaitUntil(MonotonicTime::Infinite());
  }
  const RuntimeReport report = runtime.Wait();
  PrintReport(report);
  return report.drained() ? 0 : 1;
}

}  // namespace ringway
