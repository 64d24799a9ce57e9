// SPDX-License-Identifier: Apache-2.0
//
// UdpServing: the UDP sockets of a Server and the tasks of their handlers.
// Internal.

#ifndef RINGWAY_RUNTIME_SERVING_UDP_SERVING_H_
#define RINGWAY_RUNTIME_SERVING_UDP_SERVING_H_

#include <cstddef>
#include <list>

#include "absl/status/status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/udp_socket.h"
#include "ringway/runtime/serving/server.h"

namespace ringway {

// Threads: the server's only.
class Server::UdpServing {
 public:
  explicit UdpServing(Server& server) : server_(server) {}
  UdpServing(const UdpServing&) = delete;
  UdpServing& operator=(const UdpServing&) = delete;

  // See Server::ServeUdp().
  absl::Status Add(net::UdpSocket socket, UdpEndpoint endpoint);

  // Handlers that have not ended, called or not yet; those of them that a drain
  // waits for. When they become fewer, the server's changed_ is set.
  size_t running() const { return running_; }
  size_t draining() const { return draining_; }

  // A datagram waits in a socket whose handler has not ended.
  bool HasPending() const;

  // Cancels the handlers.
  void Cancel();

 private:
  struct Served {
    net::UdpSocket socket;  // closed once its handler has ended
    UdpEndpoint endpoint;
    TaskContext* task = nullptr;  // while its handler runs
  };
  class Running;

  Task<void> Serve(Running running);
  void OnFailed(const Served& served, const absl::Status& status);

  Server& server_;
  std::list<Served> served_;  // until all tasks have ended
  size_t running_ = 0;
  size_t draining_ = 0;
};

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_SERVING_UDP_SERVING_H_
