// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/delivery_copies.h"

#include <array>
#include <span>
#include <vector>

#include "gtest/gtest.h"

namespace ringway {
namespace {

TEST(DeliveryCopies, HoldsWhatItWasGivenUnderIdsOfItsOwn) {
  DeliveryCopies copies(100);
  std::array<std::byte, 3> bytes = {std::byte{1}, std::byte{2}, std::byte{3}};

  const DeliveryCopies::Copy copy = copies.Make(bytes);
  bytes.fill(std::byte{9});

  ASSERT_NE(copy.data, nullptr);
  EXPECT_TRUE(DeliveryCopies::IsCopy(copy.id));
  EXPECT_EQ(copy.data[2], std::byte{3});
  EXPECT_EQ(copies.bytes_held(), 3u);
  copies.Return(copy.id);
  EXPECT_EQ(copies.bytes_held(), 0u);
}

TEST(DeliveryCopies, RefusesWhatExceedsTheCapAndTakesItLater) {
  DeliveryCopies copies(4);
  const std::array<std::byte, 3> bytes = {};
  const DeliveryCopies::Copy first = copies.Make(bytes);
  EXPECT_EQ(copies.Make(bytes).data, nullptr);

  copies.Return(first.id);

  EXPECT_NE(copies.Make(bytes).data, nullptr);
}

TEST(DeliveryCopies, RunsOutOfIdsNotOfItsWits) {
  DeliveryCopies copies(100'000);
  const std::array<std::byte, 1> bytes = {};
  std::vector<uint16_t> ids;
  while (true) {
    const DeliveryCopies::Copy copy = copies.Make(bytes);
    if (copy.data == nullptr) break;
    ids.push_back(copy.id);
  }

  EXPECT_EQ(ids.size(), 32'768u);
  copies.Return(ids[7]);
  EXPECT_EQ(copies.Make(bytes).id, ids[7]);
}

}  // namespace
}  // namespace ringway
