// SPDX-License-Identifier: Apache-2.0
//
// MonotonicTime: an instant of CLOCK_MONOTONIC in nanoseconds, with the
// arithmetic of deadlines.
//
// A plain integer, because the loop compares deadlines on every turn;
// absl::Duration is used only in the public interface. Steps of the wall
// clock do not affect it.

#ifndef RINGWAY_CORE_TIME_MONOTONIC_TIME_H_
#define RINGWAY_CORE_TIME_MONOTONIC_TIME_H_

#include <compare>
#include <cstdint>
#include <limits>

#include "absl/time/time.h"
#include "ringway/core/compiler.h"

namespace ringway {

class MonotonicTime {
 public:
  constexpr MonotonicTime() = default;
  static constexpr MonotonicTime FromNanoseconds(int64_t ns) {
    return MonotonicTime(ns);
  }
  // Later than every instant a clock returns: "no deadline".
  static constexpr MonotonicTime Infinite() {
    return MonotonicTime(std::numeric_limits<int64_t>::max());
  }

  constexpr int64_t nanoseconds() const { return ns_; }
  constexpr bool is_infinite() const {
    return ns_ == std::numeric_limits<int64_t>::max();
  }

  friend constexpr auto operator<=>(MonotonicTime, MonotonicTime) = default;

  // Saturates: overflow gives the earliest or the infinite instant, never a
  // wrapped one.
  friend MonotonicTime operator+(MonotonicTime t, absl::Duration d) {
    int64_t sum;
    const int64_t ns = absl::ToInt64Nanoseconds(d);  // saturates by itself
    if (t.is_infinite() || ns == std::numeric_limits<int64_t>::max())
      return Infinite();
    if (__builtin_add_overflow(t.ns_, ns, &sum)) {
      return ns > 0 ? Infinite()
                    : MonotonicTime(std::numeric_limits<int64_t>::min());
    }
    return MonotonicTime(sum);
  }

  friend absl::Duration operator-(MonotonicTime a, MonotonicTime b) {
    return absl::Nanoseconds(a.ns_) - absl::Nanoseconds(b.ns_);
  }

 private:
  explicit constexpr MonotonicTime(int64_t ns) : ns_(ns) {}

  int64_t ns_ = 0;
};

}  // namespace ringway

#endif  // RINGWAY_CORE_TIME_MONOTONIC_TIME_H_
