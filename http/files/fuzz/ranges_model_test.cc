// SPDX-License-Identifier: Apache-2.0
//
// Random fields.

#include "ringway/http/files/fuzz/ranges_model.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/rng.h"
#include "ringway/executor/testing/test_seed.h"

namespace ringway::fuzz {
namespace {

std::string RandomNumber(Rng& rng, uint64_t size) {
  switch (rng.Below(8)) {
    case 0:
      return "";
    case 1:
      return absl::StrCat("00", rng.Below(size + 3));
    case 2:
      return absl::StrCat(rng.Next(), rng.Below(10));  // often too large
    case 3:
      return absl::StrCat(rng.Below(3));
    default:
      return absl::StrCat(rng.Below(size + 3));
  }
}

// The value of Range, with a mistake now and then.
std::string RandomRange(Rng& rng, uint64_t size) {
  std::string field = rng.Chance(0.02) ? "byte=" : "bytes=";
  for (uint64_t n = 1 + rng.Below(rng.Chance(0.1) ? 40 : 6); n > 0; --n) {
    absl::StrAppend(&field, RandomNumber(rng, size), "-",
                    RandomNumber(rng, size));
    if (n > 1 || rng.Chance(0.1)) field += rng.Chance(0.3) ? " ,\t" : ",";
  }
  if (rng.Chance(0.2))
    field[rng.Below(field.size())] = static_cast<char>(rng.Next());
  return field;
}

std::string RandomList(Rng& rng) {
  constexpr const char* kWords[] = {
      "\"a\"", "W/\"a\"", "\"b\"", "*", "gzip", "br",     "zstd",    ";q=0.5",
      ";q=0",  ",",       ", ",    " ", "\"",   "x-gzip", "identity"};
  std::string field;
  for (uint64_t n = rng.Below(12); n > 0; --n)
    field += kWords[rng.Below(std::size(kWords))];
  return field;
}

TEST(RangesModel, HoldsForRandomFields) {
  const uint64_t seed = TestSeed();
  Rng rng(seed);
  int n_some = 0;
  for (uint64_t i = ringway::testing::Scaled(200'000); i > 0; --i) {
    const uint64_t size = rng.Chance(0.1) ? rng.Below(3) : rng.Below(2048);
    std::string script = {
        static_cast<char>(size % 256), static_cast<char>(size / 256),
        static_cast<char>(rng.Chance(0.1) ? rng.Below(4) : 31)};
    script += rng.Chance(0.2) ? RandomList(rng) : RandomRange(rng, size);
    if (CheckRangesScript(script)) ++n_some;
  }
  EXPECT_GT(n_some, 0) << "seed " << seed;
}

}  // namespace
}  // namespace ringway::fuzz
