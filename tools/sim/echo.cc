// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/echo.h"

#include "ringway/tools/sim/echo_server.h"
#include "ringway/tools/sim/served_clients.h"

namespace ringway::simulation {
namespace {

class EchoRun : public ServedClients {
 public:
  explicit EchoRun(const Options& options) : ServedClients(options) {
    AddServer<EchoServer>();
  }
};

}  // namespace

Verdict RunEcho(const Options& options) { return VerdictOf<EchoRun>(options); }

}  // namespace ringway::simulation
