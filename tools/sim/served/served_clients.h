// SPDX-License-Identifier: Apache-2.0
//
// The scenarios echo and proxy: a server and eight clients, in proxy with a
// proxy between them, on machines of their own, and a network that is cut now
// and then.

#ifndef RINGWAY_TOOLS_SIM_SERVED_SERVED_CLIENTS_H_
#define RINGWAY_TOOLS_SIM_SERVED_SERVED_CLIENTS_H_

#include "ringway/tools/sim/scenario.h"

namespace ringway::simulation {

// Without faults every client gets back everything it sent, also what comes
// after it has stopped sending. With them a session may end early, for a reason
// that is not the program's fault; what came back before is still exact.
Verdict RunEcho(const Options& options);
Verdict RunProxy(const Options& options);

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_SERVED_SERVED_CLIENTS_H_
