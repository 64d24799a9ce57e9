// SPDX-License-Identifier: Apache-2.0
//
// The scenarios echo and proxy: a server and eight clients (in proxy with a
// proxy between them) on separate machines, and a network with occasional
// partitions.

#ifndef RINGWAY_TOOLS_SIM_SERVED_SERVED_CLIENTS_H_
#define RINGWAY_TOOLS_SIM_SERVED_SERVED_CLIENTS_H_

#include "ringway/tools/sim/scenario.h"

namespace ringway::simulation {

// Without faults every client gets back all bytes it sent, also after it has
// stopped sending. With faults a session may end early; the bytes before are
// still exact.
Verdict RunEcho(const Options& options);
Verdict RunProxy(const Options& options);

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_SERVED_SERVED_CLIENTS_H_
