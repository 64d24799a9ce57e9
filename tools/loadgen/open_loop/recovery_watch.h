// SPDX-License-Identifier: Apache-2.0
//
// RecoveryWatch: how long it takes after a change of the rate until a server
// answers as much as it is asked.

#ifndef RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_RECOVERY_WATCH_H_
#define RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_RECOVERY_WATCH_H_

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/tools/loadgen/open_loop/phases.h"

namespace ringway::loadgen {

// Compares the requests and the answers of windows of time. A server that has
// recovered answers within 5 % of what is offered: one that works off a backlog
// answers more.
class RecoveryWatch {
 public:
  // `phase` begins at `begin`; the requests are those of one of `workers`.
  RecoveryWatch(MonotonicTime begin, const Phase& phase, int workers = 1)
      : begin_(begin),
        window_begin_(begin),
        window_(WindowOf(phase, workers)) {}

  // At `now`, this many requests have been offered since the phase began, and
  // this many answers have come meanwhile. Closes a window once it is as long
  // as WindowOf().
  void Sample(MonotonicTime now, uint64_t offered, uint64_t answered) {
    if (recovered_after_.has_value() || now - window_begin_ < window_) return;
    const uint64_t asked = offered - offered_before_;
    const uint64_t got = answered - answered_before_;
    const uint64_t difference = std::max(asked, got) - std::min(asked, got);
    if (asked > 0 && 20 * difference <= asked) recovered_after_ = now - begin_;
    window_begin_ = now;
    offered_before_ = offered;
    answered_before_ = answered;
  }

  // From the begin of the phase to the end of the first window in which the
  // server kept up; none if it never did.
  std::optional<absl::Duration> recovered_after() const {
    return recovered_after_;
  }

  // 100 ms, or the time of 200 requests, of which one is half a per cent; at
  // most the phase.
  static absl::Duration WindowOf(const Phase& phase, int workers = 1) {
    const double rate = static_cast<double>(phase.per_second) / workers;
    return std::min(phase.length, std::max(absl::Milliseconds(100),
                                           absl::Seconds(200.0 / rate)));
  }

 private:
  const MonotonicTime begin_;
  MonotonicTime window_begin_;
  const absl::Duration window_;
  uint64_t offered_before_ = 0;
  uint64_t answered_before_ = 0;
  std::optional<absl::Duration> recovered_after_;
};

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_OPEN_LOOP_RECOVERY_WATCH_H_
