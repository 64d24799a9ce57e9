// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/time/clock.h"

#include <time.h>

namespace ringway {
namespace {

class RealClock final : public Clock {
 public:
  MonotonicTime Now() const override {
    timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return MonotonicTime::FromNanoseconds(ts.tv_sec * 1'000'000'000 +
                                          ts.tv_nsec);
  }
};

}  // namespace

const Clock& Clock::Real() {
  static const RealClock clock;
  return clock;
}

}  // namespace ringway
