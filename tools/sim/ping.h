// SPDX-License-Identifier: Apache-2.0
//
// The ping scenario: tokens go round between four loops, as messages.

#ifndef RINGWAY_TOOLS_SIM_PING_H_
#define RINGWAY_TOOLS_SIM_PING_H_

#include "ringway/tools/sim/simulation.h"

namespace ringway::simulation {

// Every token makes all its hops, faults or not, and the messages of each
// sender arrive in order.
Verdict RunPing(const Options& options);

}  // namespace ringway::simulation

#endif  // RINGWAY_TOOLS_SIM_PING_H_
