// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/testing/test_seed.h"

#include <cstdlib>
#include <random>

#include "absl/strings/numbers.h"
#include "gtest/gtest.h"
#include "ringway/core/check.h"

namespace ringway {
namespace {

uint64_t ChooseSeed() {
  if (const char* text = std::getenv("RINGWAY_SEED")) {
    uint64_t seed = 0;
    RINGWAY_CHECK(absl::SimpleAtoi(text, &seed),
                  "RINGWAY_SEED=%s is not a number", text);
    return seed;
  }
  if (const int flag = GTEST_FLAG_GET(random_seed); flag != 0)
    return static_cast<uint64_t>(flag);
  return std::random_device()();
}

}  // namespace

uint64_t TestSeed() {
  static const uint64_t seed = ChooseSeed();
  return seed;
}

}  // namespace ringway
