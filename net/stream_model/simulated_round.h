// SPDX-License-Identifier: Apache-2.0
//
// RunSimulatedRound: a round of the model without a kernel or threads. Each
// worker is on a machine of its own; the same plan gives the same round.

#ifndef RINGWAY_NET_STREAM_MODEL_SIMULATED_ROUND_H_
#define RINGWAY_NET_STREAM_MODEL_SIMULATED_ROUND_H_

#include <string>
#include <vector>

#include "ringway/net/stream_model/plan.h"

namespace ringway::net::model {

// Runs the round to its end, when every task, buffer and fd of it is gone
// again. Empty: all is well. A round that would wait for ever is a failure.
//
// `faults`: operations begin and end late, transfer less than they could, end
// together in any order; cancels race with results; the network takes its time.
// Nothing fails by itself, so that every outcome can be judged.
std::vector<std::string> RunSimulatedRound(const Plan& plan, bool faults);

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_SIMULATED_ROUND_H_
