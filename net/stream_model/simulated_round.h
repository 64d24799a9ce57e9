// SPDX-License-Identifier: Apache-2.0
//
// RunSimulatedRound: a round of the model without a kernel or threads. Each
// worker is on a separate machine; the same plan gives the same round.

#ifndef RINGWAY_NET_STREAM_MODEL_SIMULATED_ROUND_H_
#define RINGWAY_NET_STREAM_MODEL_SIMULATED_ROUND_H_

#include "ringway/net/stream_model/ledger.h"  // IWYU pragma: export
#include "ringway/net/stream_model/plan.h"

namespace ringway::net::model {

// Runs the round until all its tasks, buffers and fds are released. A round
// that would wait forever is a failure.
//
// `faults`: operations begin and end late, make short transfers, complete in
// random order; cancels race with results; the network has latency. No errors
// are injected, so that every outcome can be checked.
RoundResult RunSimulatedRound(const Plan& plan, bool faults);

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_SIMULATED_ROUND_H_
