// SPDX-License-Identifier: Apache-2.0
//
// RunRound: runs the plan of a seed.
//
//   Plan plan = PlanOf(seed, PlanLimits());
//   RoundResult result = RunRound(plan, absl::Seconds(30));

#ifndef RINGWAY_NET_STREAM_MODEL_ROUND_H_
#define RINGWAY_NET_STREAM_MODEL_ROUND_H_

#include "absl/time/time.h"
#include "ringway/net/stream_model/ledger.h"  // IWYU pragma: export
#include "ringway/net/stream_model/plan.h"

namespace ringway::net::model {

// Runs the round until all its threads, tasks, buffers and fds are released.
// Without progress for `patience` it prints what each task waits for and
// aborts.
//
// Threads: one round at a time in a process: it counts fds.
RoundResult RunRound(const Plan& plan, absl::Duration patience);

}  // namespace ringway::net::model

#endif  // RINGWAY_NET_STREAM_MODEL_ROUND_H_
