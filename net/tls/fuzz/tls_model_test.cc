// SPDX-License-Identifier: Apache-2.0
//
// Random scripts.

#include "ringway/net/tls/fuzz/tls_model.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/rng.h"
#include "ringway/executor/testing/test_seed.h"

namespace ringway::fuzz {
namespace {

// Of commands that do no harm, with few of the others between them.
std::string RandomScript(Rng& rng, double harm) {
  std::string script(1, static_cast<char>(rng.Below(2)));
  for (uint64_t n = 10 + rng.Below(60); n > 0; --n) {
    const uint64_t side = rng.Below(2);
    constexpr uint64_t kHarmless[] = {0, 1, 0, 2, 5};
    const uint64_t command =
        rng.Chance(harm) ? rng.Below(8) : kHarmless[rng.Below(5)];
    script.push_back(static_cast<char>(command * 2 + side));
    for (uint64_t more = rng.Below(3); more > 0; --more)
      script.push_back(static_cast<char>(rng.Next()));
  }
  return script;
}

TEST(TlsModel, HoldsForRandomScripts) {
  const uint64_t seed = TestSeed();
  Rng rng(seed);
  int n_handshakes = 0;
  for (uint64_t i = ringway::testing::Scaled(4000); i > 0; --i) {
    const double harm = i % 4 == 0 ? 0.5 : 0.02;
    if (CheckTlsScript(RandomScript(rng, harm))) ++n_handshakes;
  }
  EXPECT_GT(n_handshakes, 0) << "seed " << seed;
}

}  // namespace
}  // namespace ringway::fuzz
