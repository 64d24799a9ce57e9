// SPDX-License-Identifier: Apache-2.0
//
// ProxyServer: forwards bytes in both directions, unchanged.
//
// The end of one direction is forwarded alone: the other continues. An error
// of either ends both.

#ifndef RINGWAY_TOOLS_SIM_SERVED_PROXY_SERVER_H_
#define RINGWAY_TOOLS_SIM_SERVED_PROXY_SERVER_H_

#include <string_view>

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tcp.h"
#include "ringway/tools/sim/served/service.h"

namespace ringway::simulation {

class ProxyServer : public Service {
 public:
  ProxyServer(Trial& trial, SimulatedHost& host, Port& port,
              const net::SocketAddress& upstream)
      : Service(trial, host, port), upstream_(upstream) {}

 private:
  struct Link {
    net::TcpStream client;
    net::TcpStream upstream = {};
    bool broken = false;
  };

  Task<void> ServeConnection(net::TcpStream client) override;
  // Forwards bytes of `from` to `to`, from lent buffers or in a random way.
  Task<void> ForwardLent(Link& link, net::TcpStream& from, net::TcpStream& to);
  Task<void> ForwardSomehow(Link& link, net::TcpStream& from,
                            net::TcpStream& to);
  // Forwards the end of one direction to `to`.
  Task<void> ForwardEnd(Link& link, net::TcpStream& to);
  // Ends both directions.
  void Break(Link& link, std::string_view what, const absl::Status& status);

  const net::SocketAddress upstream_;
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_SERVED_PROXY_SERVER_H_
