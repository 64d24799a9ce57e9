// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/in_flight.h"

#include <cstdint>
#include <map>
#include <optional>

#include "gtest/gtest.h"
#include "ringway/core/rng.h"

namespace ringway::loadgen {
namespace {

TEST(InFlightTest, ATakenOneIsTakenOnce) {
  InFlight<int> in_flight;
  in_flight.Add(10);
  in_flight.Add(11);
  EXPECT_EQ(in_flight.Take(1), 11);
  EXPECT_EQ(in_flight.Take(1), std::nullopt);
  EXPECT_EQ(in_flight.Take(2), std::nullopt);  // not added yet
  EXPECT_EQ(in_flight.size(), 1u);
  EXPECT_EQ(in_flight.oldest(), 10);
  EXPECT_EQ(in_flight.span(), 2u);
  EXPECT_EQ(in_flight.Take(0), 10);
  EXPECT_EQ(in_flight.span(), 0u);
  EXPECT_TRUE(in_flight.empty());
}

// Against a map, with requests that stay open while others come and go.
TEST(InFlightTest, BehavesAsAMap) {
  constexpr int kSteps = 100'000;
  Rng rng(1);
  InFlight<uint64_t> in_flight;
  std::map<uint64_t, uint64_t> model;
  for (int step = 0; step < kSteps; ++step) {
    const uint64_t next = in_flight.next();
    if (model.size() < 100 && rng.Next() % 2 == 0) {
      in_flight.Add(3 * next);
      model[next] = 3 * next;
      continue;
    }
    const uint64_t number = next - std::min<uint64_t>(next, rng.Next() % 150);
    const auto found = model.find(number);
    const std::optional<uint64_t> taken = in_flight.Take(number);
    ASSERT_EQ(taken.has_value(), found != model.end()) << number;
    if (taken.has_value()) {
      ASSERT_EQ(*taken, found->second);
      model.erase(found);
    }
    ASSERT_EQ(in_flight.size(), model.size());
    if (!model.empty()) {
      ASSERT_EQ(in_flight.oldest_number(), model.begin()->first);
      ASSERT_EQ(in_flight.oldest(), model.begin()->second);
    }
    // Keeps the span short, as timeouts do.
    while (!model.empty() && next - model.begin()->first > 300) {
      ASSERT_EQ(in_flight.TakeOldest(), model.begin()->second);
      model.erase(model.begin());
    }
  }
}

}  // namespace
}  // namespace ringway::loadgen
