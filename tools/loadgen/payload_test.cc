// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/payload.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <set>
#include <span>
#include <vector>

#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

using Request = std::array<std::byte, 64>;

Request Make(uint32_t connection, uint64_t sequence) {
  Request request;
  FillRequest(connection, sequence, request);
  return request;
}

TEST(Payload, IsTheSameForTheSameRequest) { EXPECT_EQ(Make(3, 7), Make(3, 7)); }

TEST(Payload, DiffersBetweenConnectionsAndRequests) {
  std::set<Request> seen;
  for (uint32_t connection = 0; connection < 100; ++connection) {
    for (uint64_t sequence = 0; sequence < 100; ++sequence)
      seen.insert(Make(connection, sequence));
  }
  EXPECT_EQ(seen.size(), 100u * 100u);
}

TEST(Payload, IsNotMistakenForItselfShifted) {
  std::vector<std::byte> request(4096);
  FillRequest(0, 0, request);
  for (size_t shift = 1; shift < 64; ++shift) {
    size_t same = 0;
    for (size_t i = shift; i < request.size(); ++i)
      same += request[i] == request[i - shift] ? 1 : 0;
    // Chance is 1 in 256.
    EXPECT_LT(same, request.size() / 32) << "shifted by " << shift;
  }
}

TEST(Payload, FillsSizesThatAreNoMultipleOfAWord) {
  for (size_t size = 1; size < 20; ++size) {
    std::array<std::byte, 20> guarded = {};
    FillRequest(1, 2, std::span(guarded).first(size));
    EXPECT_TRUE(std::equal(guarded.begin(), guarded.begin() + size,
                           Make(1, 2).begin()));
    EXPECT_TRUE(std::all_of(guarded.begin() + size, guarded.end(),
                            [](std::byte b) { return b == std::byte{0}; }));
  }
}

}  // namespace
}  // namespace ringway::loadgen
