// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/testing/test_scale.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "ringway/core/check.h"

namespace ringway::testing {

uint64_t Scaled(uint64_t full) {
  const char* text = getenv("RINGWAY_TEST_SCALE");
  if (text == nullptr) return full;
  double scale = 0;
  RINGWAY_CHECK(absl::SimpleAtod(text, &scale) && scale > 0 && scale <= 1e6,
                "RINGWAY_TEST_SCALE=%s is not a number above 0", text);
  return std::max<uint64_t>(
      1, static_cast<uint64_t>(static_cast<double>(full) * scale));
}

}  // namespace ringway::testing
