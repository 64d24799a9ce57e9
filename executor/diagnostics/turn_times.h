// SPDX-License-Identifier: Apache-2.0
//
// TurnTimes: how long turns and tasks of one executor take, recorded by
// Executor::SetTurnTimes() at 5 ns for each turn.

#ifndef RINGWAY_EXECUTOR_DIAGNOSTICS_TURN_TIMES_H_
#define RINGWAY_EXECUTOR_DIAGNOSTICS_TURN_TIMES_H_

#include "ringway/core/histogram.h"

namespace ringway {

// All in nanoseconds. Tasks are timed in one turn of kTurnsPerMeasured, because
// that reads the clock twice for each.
struct TurnTimes {
  static constexpr unsigned kTurnsPerMeasured = 64;

  Histogram turn;         // of a turn, without its wait
  Histogram task_run;     // of a task, until it waits
  Histogram ready_delay;  // from the begin of the turn until the task runs
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_DIAGNOSTICS_TURN_TIMES_H_
