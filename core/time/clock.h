// SPDX-License-Identifier: Apache-2.0
//
// Clock: the source of a loop's time. The real one reads CLOCK_MONOTONIC
// (about 22 ns, so a loop reads it once per turn); a ManualClock stands still
// until a test advances it.

#ifndef RINGWAY_CORE_TIME_CLOCK_H_
#define RINGWAY_CORE_TIME_CLOCK_H_

#include "ringway/core/time/monotonic_time.h"

namespace ringway {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonotonicTime Now() const = 0;

  // The kernel's CLOCK_MONOTONIC. Never destroyed; any thread.
  static const Clock& Real();
};

// A clock that only Advance() and AdvanceTo() move. Not thread-safe.
class ManualClock : public Clock {
 public:
  explicit ManualClock(MonotonicTime start = MonotonicTime::FromNanoseconds(0))
      : now_(start) {}

  MonotonicTime Now() const override { return now_; }
  void Advance(absl::Duration d) { now_ = now_ + d; }
  void AdvanceTo(MonotonicTime t) {
    if (t > now_) now_ = t;
  }

 private:
  MonotonicTime now_;
};

}  // namespace ringway

#endif  // RINGWAY_CORE_TIME_CLOCK_H_
