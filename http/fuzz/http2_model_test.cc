// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/fuzz/http2_model.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/rng.h"
#include "ringway/executor/testing/test_seed.h"

namespace ringway::fuzz {
namespace {

// What a fuzzer found: a frame that is too long behind the client's GOAWAY,
// which ends the session only if it has come with that.
TEST(Http2Model, HoldsForAFrameBehindTheEnd) {
  std::string script("\x07\0\0\x7f\0\0\0\0\0\0\x30\x07", 12);
  script.append(8, '\0').append("\x14").append(4, '\0');
  script.append("\x02\x10").append(1, '\0').append("&").append(22, '3');
  script.append("16666666666766666").append("\x36\xd8").append("333.");
  script.append(2, '\0');
  CheckHttp2Script(script);
}

TEST(Http2Model, HoldsForRandomScripts) {
  const uint64_t seed = TestSeed();
  Rng rng(seed);
  size_t n_requests = 0;
  const uint64_t n_scripts = ringway::testing::Scaled(3'000);
  for (uint64_t i = 0; i < n_scripts; ++i) {
    std::string script;
    for (int n = 0; n < 8; ++n) script += static_cast<char>(rng.Next());
    for (uint64_t n = rng.Below(30); n > 0; --n) {
      script += static_cast<char>(rng.Next());  // the kind of a frame
      const uint64_t size = rng.Below(rng.Below(4) == 0 ? 200 : 20);
      script += static_cast<char>(size);
      const bool letters = rng.Below(2) == 0;
      for (uint64_t k = 0; k < size; ++k)
        script += static_cast<char>(letters ? 'a' + rng.Below(26) : rng.Next());
    }
    n_requests += CheckHttp2Script(script);
  }
  EXPECT_GT(n_requests, n_scripts / 10) << "seed " << seed;
}

}  // namespace
}  // namespace ringway::fuzz
