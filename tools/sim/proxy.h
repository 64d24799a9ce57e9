// SPDX-License-Identifier: Apache-2.0
//
// The proxy scenario: as echo, with a proxy between the clients and the server,
// and cuts on both of its sides.

#ifndef RINGWAY_TOOLS_SIM_PROXY_H_
#define RINGWAY_TOOLS_SIM_PROXY_H_

#include "ringway/tools/sim/simulation.h"

namespace ringway::simulation {

// Without faults every client gets back everything it sent, also what comes
// after it has stopped sending. With them a session may end early, for a reason
// that is not the program's fault; what came back before is still exact.
Verdict RunProxy(const Options& options);

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_PROXY_H_
