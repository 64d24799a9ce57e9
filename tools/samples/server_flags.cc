// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/samples/server_flags.h"

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "ringway/backends/backend_options.h"
#include "ringway/executor/loop/spinner.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/socket_address.h"

namespace ringway {

ServerFlags::ServerFlags(CommandLine& flags) {
  flags.Add("workers", "worker threads", &workers_, 1, 1024);
  flags.Add("pin",
            "CPU of the first worker, the next ones follow; -1 pins nothing",
            &pin_, -1, 1023);
  flags.Add("backend", "auto, uring or epoll", &backend_);
  flags.Add("spin", "off, adaptive or fixed: spinning before a worker blocks",
            &spin_);
  flags.Add("metrics",
            "address of /metrics, /healthz, /readyz and /tasks; none without",
            &metrics_);
  flags.Add("trace", "file for a Chrome trace, written at the end", &trace_);
  flags.Add("stall-budget",
            "reports a worker that is busy for longer in one turn; 0: none",
            &stall_budget_);
  flags.Add("lame-duck",
            "after SIGTERM, how long it still accepts while not ready",
            &lame_duck_);
  flags.Add("drain", "and then, how long connections have to end", &drain_);
}

absl::Status ServerFlags::ApplyTo(Runtime::Builder& builder) const {
  absl::StatusOr<BackendKind> kind = ParseBackendKind(backend_);
  if (!kind.ok()) return kind.status();
  absl::StatusOr<SpinMode> spin = ParseSpinMode(spin_);
  if (!spin.ok()) return spin.status();
  ExecutorOptions options;
  options.loop.backend.kind = *kind;
  options.loop.spin = *spin;
  builder.Workers(workers_)
      .Pin(pin_)
      .Options(options)
      .StallBudget(stall_budget_)
      .LameDuck(lame_duck_)
      .DrainDeadline(drain_)
      .DumpTasksOnQuit();
  if (!metrics_.empty()) builder.Metrics(metrics_);
  if (!trace_.empty()) builder.Trace(trace_);
  return absl::OkStatus();
}

absl::Status CheckListenAddress(std::string_view address) {
  if (absl::StartsWith(address, "inherited:")) return absl::OkStatus();
  return net::SocketAddress::Parse(address).status();
}

}  // namespace ringway
