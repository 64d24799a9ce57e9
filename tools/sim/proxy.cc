// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/proxy.h"

#include "ringway/tools/sim/echo_server.h"
#include "ringway/tools/sim/proxy_server.h"
#include "ringway/tools/sim/served_clients.h"

namespace ringway::simulation {
namespace {

class ProxyRun : public ServedClients {
 public:
  explicit ProxyRun(const Options& options) : ServedClients(options) {
    AddServer<ProxyServer>(AddServer<EchoServer>().address());
  }
};

}  // namespace

Verdict RunProxy(const Options& options) {
  return VerdictOf<ProxyRun>(options);
}

}  // namespace ringway::simulation
