// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/acceptor.h"

#include <utility>

namespace ringway::internal {
namespace {

// Connections on their way to workers. More of them wait in the kernel.
constexpr size_t kMostOnTheirWay = 4096;

Worker::Role RoleOf(const RuntimeConfig& config) {
  Worker::Role role;
  role.name = "acceptor";
  role.index = -1;
  role.cpu = -1;
  role.server.max_connections = kMostOnTheirWay;
  role.server.when_full = WhenFull::kWait;
  role.server.when_out_of_fds = config.server.when_out_of_fds;
  role.server.lame_duck = config.server.lame_duck;
  return role;
}

std::vector<HandoverTarget*> TargetsOf(
    const std::vector<std::unique_ptr<Worker>>& workers) {
  std::vector<HandoverTarget*> targets;
  for (const std::unique_ptr<Worker>& worker : workers)
    targets.push_back(worker.get());
  return targets;
}

}  // namespace

Acceptor::Acceptor(Runtime& runtime, const RuntimeConfig& config,
                   const std::vector<std::unique_ptr<Worker>>& workers)
    : Worker(runtime, config, RoleOf(config)),
      config_(config),
      workers_(workers),
      handover_(TargetsOf(workers),
                {config.balancing, config.chunk, config.server.max_connections,
                 config.server.when_full == WhenFull::kWait}) {}

const Server::Endpoint& Acceptor::EndpointFor(size_t listener) {
  endpoints_.push_back({[this, listener](net::TcpStream stream) {
                          return handover_.Give(listener, std::move(stream));
                        },
                        config_.listen[listener].endpoint.name});
  return endpoints_.back();
}

void Acceptor::OnServed() {
  for (const std::unique_ptr<Worker>& worker : workers_) worker->NoMoreAdmits();
}

}  // namespace ringway::internal
