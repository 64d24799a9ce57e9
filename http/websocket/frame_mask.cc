// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/websocket/frame_mask.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "ringway/core/check.h"

namespace ringway::http::internal {

Mask NewMask() {
  static constexpr size_t kMaskBytes = std::tuple_size_v<Mask>;
  // One call gives up to 256 bytes without being interrupted (getrandom(2)).
  thread_local std::array<std::byte, 256> random;
  thread_local size_t n_left = 0;
  if (n_left < kMaskBytes) {
    const ssize_t n = getrandom(random.data(), random.size(), 0);
    RINGWAY_CHECK(n == static_cast<ssize_t>(random.size()),
                  "getrandom() gave %zd bytes", n);
    n_left = random.size();
  }
  n_left -= kMaskBytes;
  Mask mask;
  std::copy_n(random.begin() + static_cast<ptrdiff_t>(n_left), kMaskBytes,
              mask.begin());
  return mask;
}

}  // namespace ringway::http::internal
