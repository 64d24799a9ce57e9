// SPDX-License-Identifier: Apache-2.0
//
// The echo scenario: a server and eight clients on three machines, a network
// that is cut now and then, and clients that check every byte.

#ifndef RINGWAY_TOOLS_SIM_ECHO_H_
#define RINGWAY_TOOLS_SIM_ECHO_H_

#include "ringway/tools/sim/simulation.h"

namespace ringway::simulation {

// Without faults every client gets back everything it sent. With them a session
// may end early, for a reason that is not the program's fault; what came back
// before is still exact.
Verdict RunEcho(const Options& options);

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_ECHO_H_
