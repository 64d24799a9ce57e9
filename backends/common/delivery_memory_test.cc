// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/delivery_memory.h"

#include <array>
#include <cstring>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/common/receive_account.h"

namespace ringway {
namespace {

TEST(DeliveryMemory, HoldsCopiesUnderIdsOfItsOwn) {
  ReceiveAccount account(0);
  DeliveryMemory memory(100, account);
  std::array<std::byte, 3> bytes = {std::byte{1}, std::byte{2}, std::byte{3}};

  const DeliveryMemory::Block copy = memory.Copy(bytes);
  bytes.fill(std::byte{9});

  ASSERT_NE(copy.data, nullptr);
  EXPECT_TRUE(DeliveryMemory::Has(copy.id));
  EXPECT_FALSE(DeliveryMemory::Has(32'767));
  EXPECT_EQ(copy.data[2], std::byte{3});
  EXPECT_EQ(account.memory().copies, 3u);
  memory.Return(copy.id);
  EXPECT_EQ(account.memory().copies, 0u);
  EXPECT_EQ(account.memory().own, 0u);
  EXPECT_EQ(account.memory().most, 3u);
}

TEST(DeliveryMemory, RefusesCopiesAboveTheLimitAndTakesThemLater) {
  ReceiveAccount account(0);
  DeliveryMemory memory(4, account);
  const std::array<std::byte, 3> bytes = {};
  const DeliveryMemory::Block first = memory.Copy(bytes);
  EXPECT_EQ(memory.Copy(bytes).data, nullptr);

  memory.Return(first.id);

  EXPECT_NE(memory.Copy(bytes).data, nullptr);
}

TEST(DeliveryMemory, BlocksToBeFilledDoNotCountAsCopies) {
  ReceiveAccount account(0);
  DeliveryMemory memory(0, account);
  std::vector<DeliveryMemory::Block> blocks;
  // More than 16-bit ids could name.
  for (uint32_t i = 0; i < 70'000; ++i) {
    blocks.push_back(memory.Allocate(sizeof(i)));
    ASSERT_NE(blocks.back().data, nullptr);
    memcpy(blocks.back().data, &i, sizeof(i));
  }
  EXPECT_EQ(account.memory().copies, 0u);
  EXPECT_EQ(account.memory().own, 280'000u);
  for (uint32_t i = 0; i < blocks.size(); ++i) {
    ASSERT_EQ(memory.Data(blocks[i].id), blocks[i].data);
    ASSERT_EQ(memcmp(blocks[i].data, &i, sizeof(i)), 0) << "block " << i;
  }
  memory.Return(blocks[7].id);
  EXPECT_EQ(account.memory().own, 279'996u);
  EXPECT_EQ(memory.Allocate(1).id, blocks[7].id);
}

TEST(DeliveryMemoryDeathTest, ReturningTwiceAborts) {
  ReceiveAccount account(0);
  DeliveryMemory memory(4, account);
  const DeliveryMemory::Block block = memory.Allocate(4);
  memory.Return(block.id);
  EXPECT_DEATH(memory.Return(block.id), "returned twice or never lent");
  EXPECT_DEATH(memory.Data(block.id), "returned twice or never lent");
  EXPECT_DEATH(memory.Return(3), "returned twice or never lent");
}

}  // namespace
}  // namespace ringway
