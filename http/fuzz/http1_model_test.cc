// SPDX-License-Identifier: Apache-2.0
//
// All requests of the verdicts, and random changes of them.

#include "ringway/http/fuzz/http1_model.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/rng.h"
#include "ringway/executor/testing/test_seed.h"
#include "ringway/http/http1/testing/requests.h"

namespace ringway::fuzz {
namespace {

using http::testing::AllTestRequests;
using http::testing::TestRequests;

// With settings before it.
std::string ScriptOf(Rng& rng, const std::string& bytes) {
  std::string script;
  for (int i = 0; i < 8; ++i) script.push_back(static_cast<char>(rng.Next()));
  return script + bytes;
}

const std::string& AnyBytes(Rng& rng) {
  const std::vector<TestRequests>& all = AllTestRequests();
  return all[rng.Below(all.size())].bytes;
}

// Changes, repeats, removes or inserts a few bytes.
void Mutate(Rng& rng, std::string& bytes) {
  const size_t at = rng.Below(bytes.size() + 1);
  const size_t n = rng.Below(8);
  switch (rng.Below(5)) {
    case 0:
      bytes.erase(at, n);
      break;
    case 1:
      bytes.insert(at, bytes.substr(at, n));
      break;
    case 2:
      bytes.insert(at, 1, "\r\n\t\0 :,;\x0b"[rng.Below(9)]);
      break;
    case 3:
      if (at < bytes.size()) bytes[at] = static_cast<char>(rng.Next());
      break;
    default: {
      const std::string& other = AnyBytes(rng);
      bytes.insert(at, other.substr(rng.Below(other.size()), 10 * n));
      break;
    }
  }
}

TEST(Http1Model, HoldsForAllTestRequests) {
  const uint64_t seed = TestSeed();
  Rng rng(seed);
  size_t n_accepted = 0;
  for (const TestRequests& requests : AllTestRequests()) {
    // With the usual limits.
    const std::string script = ScriptOf(rng, requests.bytes);
    n_accepted += CheckHttp1Script("\x01" + script.substr(1));
    CheckHttp1Script(script);
  }
  EXPECT_GT(n_accepted, 50u) << "seed " << seed;
}

TEST(Http1Model, HoldsForRandomChangesOfThem) {
  const uint64_t seed = TestSeed();
  Rng rng(seed);
  size_t n_accepted = 0;
  for (uint64_t i = ringway::testing::Scaled(20'000); i > 0; --i) {
    std::string bytes = AnyBytes(rng);
    if (bytes.size() > 4000) continue;
    for (uint64_t n = 1 + rng.Below(4); n > 0; --n) Mutate(rng, bytes);
    n_accepted += CheckHttp1Script(ScriptOf(rng, bytes));
  }
  EXPECT_GT(n_accepted, 0u) << "seed " << seed;
}

}  // namespace
}  // namespace ringway::fuzz
