// SPDX-License-Identifier: Apache-2.0
//
// LoopNow: the time by the clock of the running task's loop, which is that of
// the simulation in a simulated one.

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_LOOP_NOW_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_LOOP_NOW_H_

#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/executor.h"

namespace ringway::loadgen {

// Not Loop::now(), which is that of the turn's begin.
inline MonotonicTime LoopNow() { return CurrentLoop().backend().clock().Now(); }

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_LOOP_NOW_H_
