// SPDX-License-Identifier: Apache-2.0
//
// Each request of testing/*.inc gets the verdict that is written there, however
// it arrives.

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/test_scale.h"
#include "ringway/core/rng.h"
#include "ringway/executor/testing/test_seed.h"
#include "ringway/http/http1/testing/parse_stream.h"
#include "ringway/http/http1/testing/requests.h"

namespace ringway::http {
namespace {

using testing::AllTestRequests;
using testing::ParseStream;
using testing::TestRequests;

TEST(RequestVerdicts, AreManyAndHaveReasons) {
  EXPECT_GE(AllTestRequests().size(), 400u);
  for (const TestRequests& requests : AllTestRequests()) {
    SCOPED_TRACE(requests.title);
    EXPECT_THAT(
        requests.reason,
        ::testing::ContainsRegex("^(must|choice|strict|lax) [0-9]+/[0-9.]+$"));
    EXPECT_FALSE(requests.bytes.empty());
  }
}

TEST(RequestVerdicts, HaveDifferentTitles) {
  std::vector<std::string> titles;
  for (const TestRequests& requests : AllTestRequests())
    titles.push_back(requests.title);
  std::sort(titles.begin(), titles.end());
  const auto twice = std::adjacent_find(titles.begin(), titles.end());
  EXPECT_TRUE(twice == titles.end()) << *twice;
}

TEST(RequestVerdicts, AreGivenToRequestsInOnePiece) {
  for (const TestRequests& requests : AllTestRequests()) {
    EXPECT_EQ(ParseStream(requests.bytes, testing::InOnePiece).Verdicts(),
              requests.of_parser)
        << requests.title;
  }
}

TEST(RequestVerdicts, AreGivenToRequestsByteByByte) {
  for (const TestRequests& requests : AllTestRequests()) {
    EXPECT_EQ(ParseStream(requests.bytes, testing::ByteByByte).Verdicts(),
              requests.of_parser)
        << requests.title;
  }
}

TEST(RequestVerdicts, AreGivenToRequestsInRandomPieces) {
  const uint64_t seed = TestSeed();
  Rng rng(seed);
  for (const TestRequests& requests : AllTestRequests()) {
    for (uint64_t i = ringway::testing::Scaled(20); i > 0; --i) {
      const uint64_t most = 1 + rng.Below(requests.bytes.size());
      const auto pieces = [&](size_t) { return 1 + rng.Below(most); };
      const size_t room = 1 + rng.Below(100);
      EXPECT_EQ(ParseStream(requests.bytes, pieces, {}, room).Verdicts(),
                requests.of_parser)
          << requests.title << ", seed " << seed;
    }
  }
}

}  // namespace
}  // namespace ringway::http
