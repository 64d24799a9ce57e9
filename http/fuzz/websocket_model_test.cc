// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/fuzz/websocket_model.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/rng.h"
#include "ringway/executor/testing/test_seed.h"

namespace ringway::fuzz {
namespace {

TEST(WebSocketModel, HoldsForRandomScripts) {
  const uint64_t seed = TestSeed();
  Rng rng(seed);
  size_t n_messages = 0;
  const uint64_t n_scripts = ringway::testing::Scaled(30'000);
  for (uint64_t i = 0; i < n_scripts; ++i) {
    std::string script;
    const bool small = rng.Below(2) == 0;  // letters, so that texts are UTF-8
    for (uint64_t n = rng.Below(400); n > 0; --n)
      script += static_cast<char>(small ? rng.Below(100) : rng.Next());
    n_messages += CheckWebSocketScript(script);
  }
  EXPECT_GT(n_messages, n_scripts / 30) << "seed " << seed;
}

}  // namespace
}  // namespace ringway::fuzz
