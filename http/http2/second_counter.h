// SPDX-License-Identifier: Apache-2.0
//
// SecondCounter: counts what happens within a second.

#ifndef RINGWAY_HTTP_HTTP2_SECOND_COUNTER_H_
#define RINGWAY_HTTP_HTTP2_SECOND_COUNTER_H_

#include <cstdint>

#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway::http::internal {

// Seconds begin with the first event after the last one has ended.
class SecondCounter {
 public:
  // Adds one; the number since the second began.
  uint64_t Count(MonotonicTime now) {
    if (n_ == 0 || now - begun_at_ >= absl::Seconds(1)) {
      begun_at_ = now;
      n_ = 0;
    }
    return ++n_;
  }

 private:
  MonotonicTime begun_at_;
  uint64_t n_ = 0;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_SECOND_COUNTER_H_
