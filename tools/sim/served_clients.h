// SPDX-License-Identifier: Apache-2.0
//
// ServedClients: a run of servers, echo clients, and a network between them
// that is cut now and then.

#ifndef RINGWAY_TOOLS_SIM_SERVED_CLIENTS_H_
#define RINGWAY_TOOLS_SIM_SERVED_CLIENTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/sim/echo_client.h"
#include "ringway/tools/sim/service.h"
#include "ringway/tools/sim/simulation.h"

namespace ringway::simulation {

class ServedClients {
 public:
  explicit ServedClients(const Options& options) : simulation_(options) {}
  ServedClients(const ServedClients&) = delete;
  ServedClients& operator=(const ServedClients&) = delete;
  ~ServedClients();

  // An S on a machine of its own. The clients talk to the last one added.
  template <typename S, typename... Args>
  S& AddServer(const Args&... args) {
    auto server =
        std::make_unique<S>(simulation_, simulation_.AddNode(), args...);
    S& added = *server;
    servers_.push_back(std::move(server));
    return added;
  }

  // To the end: OK if nothing was wrong but the luck.
  absl::Status Run();

  Simulation& simulation() { return simulation_; }

 private:
  Service& front() { return *servers_.back(); }

  void StartServers();
  void StartClients();
  Task<void> CutTheNetwork();
  bool AllListening() const;
  bool ClientsDone() const;
  bool EverybodyDone() const;
  absl::Status Judge();

  Simulation simulation_;
  std::vector<std::unique_ptr<Service>> servers_;  // on the nodes 0, 1, ...
  std::vector<std::unique_ptr<EchoClient>> clients_;
  std::vector<JoinHandle<absl::Status>> serving_;
  std::vector<JoinHandle<absl::Status>> running_;
  JoinHandle<void> cutting_;
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_SERVED_CLIENTS_H_
