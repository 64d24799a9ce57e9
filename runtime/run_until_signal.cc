// SPDX-License-Identifier: Apache-2.0

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <future>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "core/clock.h"
#include "core/monotonic_time.h"
#include "runtime/runtime.h"

namespace ringway {
namespace {

// Blocks SIGINT and SIGTERM so that they can be waited for, and puts the mask
// back.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  // True when one came, false after `limit`.
  bool WaitFor(absl::Duration limit) {
    const Clock& clock = Clock::Real();
    const MonotonicTime end = clock.Now() + limit;
    while (true) {
      // An hour at a time: the kernel takes no infinite timeout.
      const absl::Duration left = std::min(end - clock.Now(), absl::Hours(1));
      const timespec timeout =
          absl::ToTimespec(std::max(left, absl::ZeroDuration()));
      if (sigtimedwait(&signals_, nullptr, &timeout) > 0) return true;
      if (errno == EAGAIN && clock.Now() >= end) return false;
    }
  }

 private:
  sigset_t signals_;
  sigset_t before_;
};

void PrintReport(const RuntimeReport& report) {
  printf("connections: %" PRIu64 " accepted, %" PRIu64 " ended well, %" PRIu64
         " with an error, %" PRIu64 " by an exception, %" PRIu64
         " refused, %" PRIu64 " cut\n",
         report.accepted, report.ended_ok, report.ended_error,
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
  printf(report.drained() ? "drained\n"
                          : "not drained: connections had to be cut\n");
  fflush(stdout);
}

}  // namespace

int RunUntilSignal(Runtime::Builder& builder, absl::Duration limit) {
  BlockedSignals signals;
  absl::StatusOr<std::unique_ptr<Runtime>> launched = builder.Launch();
  if (!launched.ok()) {
    const std::string message(launched.status().message());
    fprintf(stderr, "cannot start: %s\n", message.c_str());
    return 1;
  }
  Runtime& runtime = **launched;
  for (const net::SocketAddress& address : runtime.addresses()) {
    printf("listening on %s\n", address.ToString().c_str());
  }
  printf("backend: %s\n", runtime.backend_description().c_str());
  fflush(stdout);

  signals.WaitFor(limit);
  runtime.Shutdown();
  // The drain is waited for on another thread, so that this one can hear a
  // second signal.
  std::promise<RuntimeReport> drained;
  std::future<RuntimeReport> future = drained.get_future();
  std::thread waiter([&] { drained.set_value(runtime.Wait()); });
  while (future.wait_for(std::chrono::seconds(0)) !=
         std::future_status::ready) {
    if (signals.WaitFor(absl::Milliseconds(20))) runtime.Cut();
  }
  waiter.join();
  const RuntimeReport report = future.get();
  PrintReport(report);
  return report.drained() ? 0 : 1;
}

}  // namespace ringway
