// SPDX-License-Identifier: Apache-2.0
//
// Rng: random numbers that a seed repeats on every machine.
//
// SplitMix64 (Steele, Lea, Flood 2014). The standard distributions differ
// between libraries, so the distributions are implemented here too.

#ifndef RINGWAY_CORE_RNG_H_
#define RINGWAY_CORE_RNG_H_

#include <cstdint>

#include "absl/time/time.h"
#include "ringway/core/check.h"

namespace ringway {

class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  // 0 to n - 1.
  uint64_t Below(uint64_t n) {
    RINGWAY_CHECK(n > 0, "Below() of 0");
    return Next() % n;
  }

  // `low` to `high`, both included.
  uint64_t Between(uint64_t low, uint64_t high) {
    return high <= low ? low : low + Below(high - low + 1);
  }
  absl::Duration Between(absl::Duration low, absl::Duration high) {
    if (high <= low) return low;
    const uint64_t span =
        static_cast<uint64_t>(absl::ToInt64Nanoseconds(high - low));
    return low + absl::Nanoseconds(static_cast<int64_t>(Below(span + 1)));
  }

  // True with this probability. A probability of 0 draws no number, so that
  // enabling one fault does not shift others.
  bool Chance(double probability) {
    if (probability <= 0) return false;
    constexpr double kTwoTo53 = 9007199254740992.0;
    return static_cast<double>(Next() >> 11) < probability * kTwoTo53;
  }

 private:
  uint64_t state_;
};

}  // namespace ringway

#endif  // RINGWAY_CORE_RNG_H_
