// SPDX-License-Identifier: Apache-2.0
//
// ProxyServer: passes on what comes, in both directions, unchanged.
//
// The end of one direction is passed on alone: the other goes on. An error of
// either ends both.

#ifndef RINGWAY_TOOLS_SIM_PROXY_SERVER_H_
#define RINGWAY_TOOLS_SIM_PROXY_SERVER_H_

#include <netinet/in.h>

#include <cstdint>

#include "ringway/executor/task/task.h"
#include "ringway/tools/sim/service.h"

namespace ringway::simulation {

class ProxyServer : public Service {
 public:
  ProxyServer(Simulation& simulation, Node& node, const sockaddr_in& upstream)
      : Service(simulation, node), upstream_(upstream) {}

 private:
  Task<void> ServeConnection(int client) override;
  Task<int32_t> ConnectUpstream();
  // Passes the end of `from` on to `to`; after an error, ends both.
  Task<void> ForwardEnd(int from, int to, int32_t result);
  // What `from` sends goes to `to`: out of lent buffers, and out of one of its
  // own.
  Task<void> ForwardLent(int from, int to);
  Task<void> ForwardCopied(int from, int to);

  const sockaddr_in upstream_;
};

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_PROXY_SERVER_H_
