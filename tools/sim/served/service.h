// SPDX-License-Identifier: Apache-2.0
//
// Service: one worker's part of a server, which accepts connections and
// serves each in a separate task.

#ifndef RINGWAY_TOOLS_SIM_SERVED_SERVICE_H_
#define RINGWAY_TOOLS_SIM_SERVED_SERVICE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tcp.h"
#include "ringway/tools/sim/scenario.h"

namespace ringway::simulation {

// The address of a server. Its workers share one listening socket.
struct Port {
  net::SocketAddress address;
  size_t n_workers = 1;
  // The socket that the workers' listeners duplicate. Close it before its
  // worker ends.
  SocketFd socket;
};

class Service {
 public:
  Service(Trial& trial, SimulatedHost& host, Port& port);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  virtual ~Service() = default;

  // Serves until cancelled.
  Task<absl::Status> Serve();

  SimulatedHost& host() { return host_; }
  bool listening() const { return listening_; }
  uint64_t accepted() const { return accepted_; }
  // False while it has work that Serve() does not wait for.
  virtual bool idle() const { return true; }

 protected:
  virtual Task<void> ServeConnection(net::TcpStream stream) = 0;

  Trial& trial() { return trial_; }
  Loop& loop() { return host_.loop(); }
  SocketCalls& sockets() { return loop().backend().sockets(); }

 private:
  absl::StatusOr<net::TcpListener> Listen();
  Task<absl::StatusOr<net::TcpListener>> ListenAtLast();
  Task<absl::Status> AcceptAll(net::TcpListener& listener);

  Trial& trial_;
  SimulatedHost& host_;
  Port& port_;
  bool listening_ = false;
  uint64_t accepted_ = 0;
  std::vector<JoinHandle<void>> connections_;
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_SERVED_SERVICE_H_
