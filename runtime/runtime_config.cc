// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/runtime_config.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "ringway/runtime/host/default_workers.h"

namespace ringway {
namespace internal {
namespace {

constexpr int kMostWorkers = 1024;

absl::Status OutOfRange(std::string_view option, const absl::AlphaNum& is,
                        const absl::AlphaNum& range) {
  return absl::InvalidArgumentError(
      absl::StrCat(option, " is ", is, ", must be ", range));
}

absl::Status NotNegative(std::string_view option, absl::Duration is) {
  if (is >= absl::ZeroDuration()) return absl::OkStatus();
  return OutOfRange(option, absl::FormatDuration(is), "0 or more");
}

// A server that cannot accept would look like a working one.
absl::Status CheckTasks(const RuntimeConfig& config) {
  const size_t n_listen = config.listen.size();
  const size_t needed = 1 + n_listen + (n_listen > 0 ? 1 : 0) +
                        config.udp.size() + config.on_start.size() +
                        config.on_tick.size() +
                        (config.required_start.empty() ? 0 : 1) +
                        (config.on_stop.empty() ? 0 : 1);
  if (config.executor.max_tasks >= needed) return absl::OkStatus();
  return OutOfRange(
      "ExecutorOptions::max_tasks", config.executor.max_tasks,
      absl::StrCat(
          "at least ", needed,
          ": a worker needs one task of its own, one for each Listen() and "
          "BindUdp(), one for each OnStart() and OnTick(), one for OnStop(), "
          "and one for a connection"));
}

// Two contexts of one name would be one on the page of metrics.
absl::Status CheckTlsNames(const RuntimeConfig& config) {
  for (size_t i = 0; i < config.tls.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (config.tls[i].name != config.tls[j].name) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("ListenTls: two listeners with different contexts are "
                       "called ",
                       config.tls[i].name, " (ListenerOptions::name)"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

void Resolve(RuntimeConfig& config) {
  if (!config.workers.has_value())
    config.workers = std::min(DefaultWorkers().workers, kMostWorkers);
}

absl::Status CheckConfig(const RuntimeConfig& config) {
  if (!config.inherited_status.ok()) return config.inherited_status;
  const int workers = config.workers.value_or(0);
  if (workers < 1 || workers > kMostWorkers)
    return OutOfRange("Workers", workers, "1 to 1024");
  const int last_first_cpu = CPU_SETSIZE - workers;
  if (config.first_cpu > last_first_cpu) {
    return OutOfRange(
        "Pin", config.first_cpu,
        absl::StrCat("at most ", last_first_cpu, " with Workers ", workers));
  }
  if (config.server.max_connections < 1) {
    return OutOfRange("MaxConnections", config.server.max_connections,
                      "at least 1");
  }
  if (config.chunk < 1)
    return OutOfRange("Balance: chunk", config.chunk, "at least 1");
  absl::Status status = NotNegative("LameDuck", config.server.lame_duck);
  status.Update(NotNegative("DrainDeadline", config.server.drain_deadline));
  for (const TickConfig& tick : config.on_tick) {
    if (tick.period <= absl::ZeroDuration())
      status.Update(OutOfRange("OnTick", absl::FormatDuration(tick.period),
                               "more than 0"));
  }
  status.Update(CheckTasks(config));
  status.Update(CheckTlsNames(config));
  status.Update(CheckRuntimePoolsOptions(config.pools));
  return status;
}

}  // namespace internal

std::string RuntimeBuilder::Describe() const {
  const internal::RuntimeConfig& c = *config_;
  std::string text;
  const auto line = [&text](std::string_view name, const absl::AlphaNum& is) {
    absl::StrAppend(&text, name, ": ", is, "\n");
  };
  if (c.workers.has_value()) {
    line("workers", *c.workers);
  } else {
    const WorkerCount count = DefaultWorkers();
    line("workers", absl::StrCat(count.workers, " (", count.explanation, ")"));
  }
  line("pinning", c.core_offset.has_value()
                      ? absl::StrCat("cores from ", *c.core_offset, " on")
                  : c.first_cpu < 0 ? "none"
                                    : absl::StrCat("CPUs from ", c.first_cpu));
  for (const internal::ListenConfig& listen : c.listen)
    line("listen", absl::StrCat(listen.endpoint.name, " (", listen.address,
                                "), backlog ", listen.options.socket.backlog));
  for (const internal::UdpConfig& udp : c.udp)
    line("udp", absl::StrCat(udp.endpoint.name, " (", udp.address, ")",
                             udp.endpoint.drains ? ", drains" : ""));
  static constexpr std::array<std::string_view, 3> kBalancings = {
      "least connections", "round robin", "chunked"};
  line("stall_budget (0: none)", absl::FormatDuration(c.stall_budget));
  line("trace", c.trace.empty() ? "none" : c.trace);
  line("metrics", c.metrics.empty() ? "none" : c.metrics);
  line("balancing", kBalancings[static_cast<size_t>(c.balancing)]);
  line("chunk", c.chunk);
  line("max_connections (per worker)", c.server.max_connections);
  line("when_full",
       c.server.when_full == WhenFull::kRefuse ? "refuse" : "wait");
  line("memory_high_water (bytes per worker, 0: none)",
       c.server.memory_high_water);
  line("lame_duck", absl::FormatDuration(c.server.lame_duck));
  line("drain_deadline", absl::FormatDuration(c.server.drain_deadline));
  line("max_tasks (per worker)", c.executor.max_tasks);
  line("shutdown_grace", absl::FormatDuration(c.executor.shutdown_grace));
  line("overrun_budget", absl::FormatDuration(c.executor.overrun_budget));
  line("spin_limit", absl::FormatDuration(c.executor.loop.spin_limit));
  const BackendOptions& backend = c.executor.loop.backend;
  line("receive_memory_bytes (per worker)", backend.receive_memory_bytes);
  line("receive_own_bytes", backend.receive_own_bytes);
  return text + internal::DescribePools(c.pools);
}

}  // namespace ringway
