// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/receive_buffers.h"

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace ringway {
namespace {

BackendOptions Options(uint32_t count, uint32_t low_water, size_t copy_bytes) {
  BackendOptions options;
  options.receive_buffer_count = count;
  options.receive_buffer_bytes = 64;
  options.receive_low_water = low_water;
  options.receive_copy_bytes = copy_bytes;
  return options;
}

// Takes a buffer, fills it with `text` and delivers it.
ReceiveBuffer DeliverText(ReceiveBuffers& buffers, std::string_view text) {
  const ReceiveBuffer buffer = buffers.Take();
  memcpy(buffer.bytes.data(), text.data(), text.size());
  return buffers.Deliver(buffer, text.size());
}

std::string_view TextOf(const ReceiveBuffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.bytes.data()),
          buffer.bytes.size()};
}

TEST(ReceiveBuffers, EachIsLentOnceUntilItIsReturned) {
  auto buffers = *ReceiveBuffers::Create(Options(3, 0, 0));
  ASSERT_EQ(buffers->available(), 4u);  // rounded up
  std::vector<bool> seen(4);
  std::vector<ReceiveBuffer> taken;
  while (buffers->available() > 0) {
    taken.push_back(buffers->Take());
    EXPECT_EQ(taken.back().bytes.size(), 64u);
    EXPECT_FALSE(seen[taken.back().id]);
    seen[taken.back().id] = true;
  }

  buffers->Return(taken[2].id);

  EXPECT_EQ(buffers->available(), 1u);
  EXPECT_EQ(buffers->Take().id, taken[2].id);
}

TEST(ReceiveBuffers, LowWaterIsAQuarterUnlessSaidOtherwise) {
  EXPECT_EQ(ReceiveLowWater(Options(256, 0, 0)), 64u);
  EXPECT_EQ(ReceiveLowWater(Options(5, 0, 0)), 2u);  // of eight
  EXPECT_EQ(ReceiveLowWater(Options(256, 3, 0)), 3u);
}

TEST(ReceiveBuffers, DeliversTheBufferWhileThereAreEnough) {
  auto buffers = *ReceiveBuffers::Create(Options(4, 2, 1'000));

  const ReceiveBuffer delivered = DeliverText(*buffers, "hello");

  EXPECT_FALSE(delivered.copied);
  EXPECT_EQ(TextOf(delivered), "hello");
  EXPECT_EQ(buffers->available(), 3u);
}

TEST(ReceiveBuffers, DeliversCopiesBelowTheLowWater) {
  auto buffers = *ReceiveBuffers::Create(Options(4, 3, 1'000));
  const ReceiveBuffer lent = DeliverText(*buffers, "lent");
  ASSERT_FALSE(lent.copied);
  std::vector<ReceiveBuffer> held;
  for (int i = 0; i < 10; ++i) {
    held.push_back(DeliverText(*buffers, std::to_string(i)));
    EXPECT_TRUE(held.back().copied);
    EXPECT_EQ(buffers->available(), 3u) << "the buffer did not come back";
  }

  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(TextOf(held[static_cast<size_t>(i)]), std::to_string(i));
  }
  for (const ReceiveBuffer& copy : held) buffers->Return(copy.id);
  EXPECT_EQ(buffers->available(), 3u);
}

TEST(ReceiveBuffers, CopiesOccupyNoMoreThanTheirCap) {
  auto buffers = *ReceiveBuffers::Create(Options(4, 4, 10));
  const ReceiveBuffer first = DeliverText(*buffers, "123456");
  const ReceiveBuffer second = DeliverText(*buffers, "1234");
  EXPECT_TRUE(first.copied);
  EXPECT_TRUE(second.copied);

  const ReceiveBuffer third = DeliverText(*buffers, "1");

  EXPECT_FALSE(third.copied);
  EXPECT_EQ(buffers->available(), 3u);
  buffers->Return(first.id);
  EXPECT_TRUE(DeliverText(*buffers, "12345").copied);
}

TEST(ReceiveBuffers, EmptyDeliveryCanBeCopied) {
  auto buffers = *ReceiveBuffers::Create(Options(4, 4, 10));
  const ReceiveBuffer empty = DeliverText(*buffers, "");
  EXPECT_TRUE(empty.copied);
  EXPECT_EQ(empty.bytes.size(), 0u);
  buffers->Return(empty.id);
}

TEST(ReceiveBuffersDeathTest, ReturningWhatIsNotLentAborts) {
  auto buffers = *ReceiveBuffers::Create(Options(4, 4, 10));
  const ReceiveBuffer copy = DeliverText(*buffers, "x");
  buffers->Return(copy.id);

  EXPECT_DEATH(buffers->Return(copy.id), "returned twice or never lent");
  EXPECT_DEATH(buffers->Return(2), "returned twice or never lent");
  EXPECT_DEATH(buffers->Return(4), "returned twice or never lent");
  EXPECT_DEATH(buffers->Return(40'000), "returned twice or never lent");
}

}  // namespace
}  // namespace ringway
