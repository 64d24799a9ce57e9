// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/body_hash.h"

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

uint64_t HashOf(std::string_view bytes) {
  BodyHash hash;
  hash.Add(bytes);
  return hash.value();
}

constexpr std::string_view kText =
    "forty-one bytes, some of them more than once";

TEST(BodyHashTest, HoweverTheBytesAreCut) {
  for (size_t first = 0; first <= kText.size(); ++first) {
    for (size_t second = first; second <= kText.size(); ++second) {
      BodyHash hash;
      hash.Add(kText.substr(0, first));
      hash.Add(kText.substr(first, second - first));
      hash.Add(kText.substr(second));
      ASSERT_EQ(hash.value(), HashOf(kText)) << first << " " << second;
    }
  }
}

TEST(BodyHashTest, ChangesWithEveryByteAndWithTheLength) {
  std::set<uint64_t> seen = {HashOf(kText), HashOf("")};
  size_t n = 2;
  for (size_t i = 0; i < kText.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit, ++n) {
      std::string changed(kText);
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      seen.insert(HashOf(changed));
    }
  }
  for (size_t zeros = 1; zeros < 40; ++zeros, ++n)
    seen.insert(HashOf(std::string(zeros, '\0')));
  EXPECT_EQ(seen.size(), n);
}

TEST(BodyHashTest, BeginsAnew) {
  BodyHash hash;
  hash.Add("x");
  hash.Reset();
  hash.Add(kText);
  EXPECT_EQ(hash.value(), HashOf(kText));
}

}  // namespace
}  // namespace ringway::loadgen
