// SPDX-License-Identifier: Apache-2.0
//
// RuntimeConfig: what a RuntimeBuilder has collected. Internal.

#ifndef RINGWAY_RUNTIME_RUNTIME_CONFIG_H_
#define RINGWAY_RUNTIME_RUNTIME_CONFIG_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/tls/tls_statistics.h"
#include "ringway/runtime/host/service_manager.h"
#include "ringway/runtime/pools/runtime_pools.h"
#include "ringway/runtime/runtime_builder.h"
#include "ringway/runtime/serving/server.h"

namespace ringway::internal {

struct ListenConfig {
  // What it was called with, for messages.
  std::string address;
  // A listening socket instead of an address, if not null.
  std::shared_ptr<const UniqueFd> inherited;
  ListenerOptions options;
  // Its name is that of the options, or the address.
  Server::Endpoint endpoint;
};

struct UdpConfig {
  // As of ListenConfig.
  std::string address;
  std::shared_ptr<const UniqueFd> inherited;
  net::UdpOptions socket;
  Server::UdpEndpoint endpoint;
};

// A net::TlsContext, whose header needs OpenSSL.
struct TlsConfig {
  std::string name;  // of its first listener
  const void* identity = nullptr;
  std::function<net::TlsStatistics()> statistics;
};

struct TickConfig {
  absl::Duration period;
  std::function<void()> handler;
};

struct RuntimeConfig {
  std::optional<int> workers;  // none: one for each core
  int first_cpu = -1;
  std::optional<size_t> core_offset;  // pins to cores
  ExecutorOptions executor;
  RuntimePoolsOptions pools;
  ServerOptions server;
  bool limits_connections = false;  // the limit is not the default
  Balancing balancing = Balancing::kLeastConnections;
  size_t chunk = 16;
  std::vector<ListenConfig> listen;
  std::vector<UdpConfig> udp;
  std::vector<TlsConfig> tls;                // each context once
  absl::Duration stall_budget;               // zero: nothing watches
  std::string trace;                         // a path; empty: none
  std::string metrics;                       // an address; empty: none
  std::vector<StartHandler> on_start;        // kReport
  std::vector<StartHandler> required_start;  // kFailLaunch
  std::vector<StartHandler> on_stop;
  std::vector<TickConfig> on_tick;
  // Null if the environment was not read.
  std::shared_ptr<ServiceManager> manager;
  absl::Status inherited_status;      // of taking sockets from it
  void (*on_worker_end)() = nullptr;  // on its thread, after has_ended()
};

// Replaces what is left to the machine: the number of workers.
void Resolve(RuntimeConfig& config);

// Checks the ranges of all options except the executor's own and the
// addresses. Requires Resolve().
absl::Status CheckConfig(const RuntimeConfig& config);

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_RUNTIME_CONFIG_H_
