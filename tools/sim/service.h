// SPDX-License-Identifier: Apache-2.0
//
// Service: accepts connections and serves each in a task of its own.

#ifndef RINGWAY_TOOLS_SIM_SERVICE_H_
#define RINGWAY_TOOLS_SIM_SERVICE_H_

#include <netinet/in.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/tools/sim/simulation.h"

namespace ringway::simulation {

class Service {
 public:
  // On the machine `node`, at a well-known port.
  Service(Simulation& simulation, Node& node);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  virtual ~Service() = default;

  // Serves until cancelled.
  Task<absl::Status> Serve();

  const sockaddr_in& address() const { return address_; }
  bool listening() const { return listening_; }
  uint64_t accepted() const { return accepted_; }
  // False while it does something that Serve() does not wait for.
  virtual bool idle() const { return true; }

 protected:
  // Takes `fd` over.
  virtual Task<void> ServeConnection(int fd) = 0;

  Simulation& simulation() { return simulation_; }
  Loop& loop() { return node_.loop(); }

 private:
  Task<int32_t> OpenListener();
  Task<absl::Status> AcceptAll(int listener);

  Simulation& simulation_;
  Node& node_;
  const sockaddr_in address_;
  bool listening_ = false;
  uint64_t accepted_ = 0;
  std::vector<JoinHandle<void>> connections_;
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_SERVICE_H_
