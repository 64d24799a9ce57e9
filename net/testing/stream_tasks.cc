// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/testing/stream_tasks.h"

#include "absl/time/time.h"
#include "ringway/executor/task/sleep.h"

namespace ringway::net::testing {

std::vector<std::byte> Pattern(size_t n_bytes, uint32_t seed) {
  std::vector<std::byte> bytes(n_bytes);
  uint32_t state = seed * 2654435761u + 1;
  for (std::byte& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

Task<void> TurnTimes(int n) {
  for (int i = 0; i < n; ++i) {
    const absl::Status slept = co_await Sleep(absl::ZeroDuration());
    RINGWAY_CHECK(slept.ok(), "a test gave up waiting");
  }
}

}  // namespace ringway::net::testing
