// SPDX-License-Identifier: Apache-2.0
//
// StallTimer: decides from observations of a loop's activity whether it has
// been in one turn for too long.

#ifndef RINGWAY_EXECUTOR_DIAGNOSTICS_STALL_TIMER_H_
#define RINGWAY_EXECUTOR_DIAGNOSTICS_STALL_TIMER_H_

#include <cstdint>

#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway {

// One thread at a time.
class StallTimer {
 public:
  // True if Loop::activity(), now `activity`, has had this value for longer
  // than `budget`, and the loop is in a turn; once for each such turn.
  bool Observe(uint64_t activity, MonotonicTime now, absl::Duration budget) {
    if (activity != activity_) {
      activity_ = activity;
      since_ = now;
      reported_ = false;
      return false;
    }
    const bool in_turn = activity % 2 == 1;
    if (!in_turn || reported_ || now - since_ <= budget) return false;
    reported_ = true;
    return true;
  }

  // When it was first seen in this turn: not before the turn began.
  MonotonicTime since() const { return since_; }

 private:
  uint64_t activity_ = 0;  // no turn's
  MonotonicTime since_;
  bool reported_ = false;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_DIAGNOSTICS_STALL_TIMER_H_
