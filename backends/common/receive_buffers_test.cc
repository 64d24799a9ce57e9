// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/receive_buffers.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/core/rng.h"

namespace ringway {
namespace {

BackendOptions Options(uint32_t count, uint32_t low_water, size_t copy_bytes) {
  BackendOptions options;
  options.receive_buffer_count = count;
  options.receive_buffer_bytes = 64;
  options.receive_low_water = low_water;
  options.receive_copy_bytes = copy_bytes;
  options.share_receive_buffers = false;
  return options;
}

// Takes a buffer, fills it with `text` and delivers it.
ReceiveBuffer DeliverText(ReceiveBuffers& buffers, std::string_view text) {
  const ReceiveBuffer buffer = buffers.Take(1);
  memcpy(buffer.bytes.data(), text.data(), text.size());
  return buffers.Deliver(buffer, text.size());
}

std::string_view TextOf(const ReceiveBuffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.bytes.data()),
          buffer.bytes.size()};
}

TEST(ReceiveBuffers, EachIsLentOnceUntilItIsReturned) {
  auto buffers = *ReceiveBuffers::Create(Options(4, 1, 0));
  ASSERT_EQ(buffers->available(), 4u);
  std::vector<bool> seen(4);
  std::vector<ReceiveBuffer> lent;
  while (buffers->available() > 0) {
    EXPECT_EQ(buffers->Take(1).bytes.size(), 64u);
    lent.push_back(DeliverText(*buffers, std::to_string(lent.size())));
    EXPECT_FALSE(seen[lent.back().id]);
    seen[lent.back().id] = true;
  }
  ASSERT_EQ(lent.size(), 4u);
  for (size_t i = 0; i < lent.size(); ++i)
    EXPECT_EQ(TextOf(lent[i]), std::to_string(i));

  buffers->Return(lent[2].id);

  EXPECT_EQ(buffers->available(), 1u);
  EXPECT_EQ(buffers->Take(1).id, lent[2].id);
}

TEST(ReceiveBuffers, WhatWasDiscardedIsTakenAgain) {
  auto buffers = *ReceiveBuffers::Create(Options(1, 1, 0));
  for (int i = 0; i < 5; ++i) buffers->Discard(buffers->Take(1));
  EXPECT_EQ(buffers->available(), 1u);
  buffers->Discard(buffers->TakeOwn(100));
}

TEST(ReceiveBuffers, LowWaterIsAQuarterUnlessSaidOtherwise) {
  EXPECT_EQ(ReceiveLowWater(Options(256, 0, 0)), 64u);
  EXPECT_EQ(ReceiveLowWater(Options(9, 0, 0)), 2u);
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

TEST(ReceiveBuffers, MemoryOfItsOwnIsThereWhenNoBufferIs) {
  auto buffers = *ReceiveBuffers::Create(Options(1, 1, 0));
  const ReceiveBuffer last = DeliverText(*buffers, "last");
  ASSERT_FALSE(last.own());
  ASSERT_EQ(buffers->available(), 0u);

  const ReceiveBuffer own = buffers->TakeOwn(16);

  ASSERT_EQ(own.bytes.size(), 16u);
  memcpy(own.bytes.data(), "more", 4);
  const ReceiveBuffer delivered = buffers->Deliver(own, 4);
  EXPECT_TRUE(delivered.own());
  EXPECT_FALSE(delivered.copied);
  EXPECT_EQ(TextOf(delivered), "more");
  EXPECT_EQ(TextOf(last), "last");
  buffers->Return(delivered.id);
  EXPECT_EQ(buffers->available(), 0u) << "it is no receive buffer";
  buffers->Return(last.id);
  EXPECT_EQ(buffers->available(), 1u);
}

TEST(ReceiveBuffers, EmptyDeliveryCanBeCopied) {
  auto buffers = *ReceiveBuffers::Create(Options(4, 4, 10));
  const ReceiveBuffer empty = DeliverText(*buffers, "");
  EXPECT_TRUE(empty.copied);
  EXPECT_EQ(empty.bytes.size(), 0u);
  buffers->Return(empty.id);
}

// --- Shared buffers

BackendOptions Shared(uint32_t count) {
  BackendOptions options = Options(count, 1, 0);
  options.share_receive_buffers = true;
  return options;
}

TEST(ReceiveBuffers, SharedOnesHoldOneDeliveryAfterTheOther) {
  auto buffers = *ReceiveBuffers::Create(Shared(2));
  std::vector<ReceiveBuffer> lent;
  for (int i = 0; i < 6; ++i)
    lent.push_back(DeliverText(*buffers, absl::StrCat("delivery ", i)));
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(lent[static_cast<size_t>(i)].id, lent[0].id);
    EXPECT_EQ(TextOf(lent[static_cast<size_t>(i)]),
              absl::StrCat("delivery ", i));
  }
  EXPECT_EQ(buffers->available(), 2u);

  // Four bytes are left: too few, as another buffer is free.
  EXPECT_NE(DeliverText(*buffers, "x").id, lent[0].id);
}

TEST(ReceiveBuffers, SharedOneBeginsAnewWhenNothingInItIsLent) {
  auto buffers = *ReceiveBuffers::Create(Shared(4));
  const std::byte* const begin = buffers->Take(1).bytes.data();
  const ReceiveBuffer one = DeliverText(*buffers, "one");
  const ReceiveBuffer two = DeliverText(*buffers, "two");
  buffers->Return(two.id);
  EXPECT_EQ(buffers->Take(1).bytes.data(), begin + 6)
      << "\"one\" is still lent";
  EXPECT_EQ(TextOf(one), "one");

  buffers->Return(one.id);

  EXPECT_EQ(buffers->Take(1).bytes.data(), begin);
  EXPECT_EQ(buffers->Take(1).bytes.size(), 64u);
}

TEST(ReceiveBuffers, FullOneIsFreeOnlyWhenAllOfItIsReturned) {
  auto buffers = *ReceiveBuffers::Create(Shared(1));
  const ReceiveBuffer half = DeliverText(*buffers, std::string(32, 'a'));
  const ReceiveBuffer rest = DeliverText(*buffers, std::string(32, 'b'));
  EXPECT_EQ(buffers->available(), 0u);
  EXPECT_FALSE(buffers->Has(1));
  buffers->Return(half.id);
  EXPECT_EQ(buffers->available(), 0u);
  EXPECT_EQ(TextOf(rest), std::string(32, 'b'));
  buffers->Return(rest.id);
  EXPECT_EQ(buffers->Take(1).bytes.size(), 64u);
}

TEST(ReceiveBuffers, LargeReceiveGetsAWholeBuffer) {
  auto buffers = *ReceiveBuffers::Create(Shared(2));
  const ReceiveBuffer small = DeliverText(*buffers, "small");
  const ReceiveBuffer large = buffers->Take(60);
  EXPECT_EQ(large.bytes.size(), 64u);
  EXPECT_NE(large.id, small.id);
  buffers->Return(buffers->Deliver(large, 60).id);
  buffers->Return(small.id);
  EXPECT_EQ(buffers->available(), 2u);
}

TEST(ReceiveBuffers, GaugesRiseWithWhatIsLentAndFallWithItsReturn) {
  auto buffers = *ReceiveBuffers::Create(Options(40, 1, 0));
  EXPECT_EQ(buffers->memory().total(), 0u);
  std::vector<ReceiveBuffer> lent;
  for (size_t n = 1; n <= 40; ++n) {
    lent.push_back(DeliverText(*buffers, "x"));
    EXPECT_EQ(buffers->memory().buffers, n * 64);
    EXPECT_EQ(buffers->memory().lent, n * 64);
  }
  const ReceiveBuffer own = buffers->TakeOwn(100);
  EXPECT_EQ(buffers->memory().own, 100u);

  buffers->Discard(own);
  for (const ReceiveBuffer& buffer : lent) buffers->Return(buffer.id);

  EXPECT_EQ(buffers->memory().lent, 0u);
  EXPECT_EQ(buffers->memory().own, 0u);
  EXPECT_EQ(buffers->memory().buffers, 17u * 64) << "warm, and the current one";
  EXPECT_EQ(buffers->memory().most, 40u * 64 + 100);
}

TEST(ReceiveBuffers, GaugesCountSharedBuffersOnceAndCopiesByTheByte) {
  BackendOptions options = Options(2, 2, 5);
  options.share_receive_buffers = true;
  auto buffers = *ReceiveBuffers::Create(options);
  const ReceiveBuffer one = DeliverText(*buffers, "one");
  const ReceiveBuffer two = DeliverText(*buffers, "two");
  EXPECT_EQ(buffers->memory().lent, 64u);
  const ReceiveBuffer rest = DeliverText(*buffers, std::string(58, 'r'));
  const ReceiveBuffer copy = DeliverText(*buffers, "copy");
  ASSERT_TRUE(copy.copied);
  EXPECT_EQ(buffers->memory().copies, 4u);
  EXPECT_EQ(buffers->memory().own, 0u);

  buffers->Return(copy.id);
  buffers->Return(one.id);
  buffers->Return(rest.id);
  EXPECT_EQ(buffers->memory().copies, 0u);
  EXPECT_EQ(buffers->memory().lent, 64u) << "\"two\" is still lent";
  buffers->Return(two.id);
  EXPECT_EQ(buffers->memory().lent, 0u);
}

// Checked content, in whatever order buffers are returned.
TEST(ReceiveBuffers, NothingIsOverwrittenWhileItIsLent) {
  auto buffers = *ReceiveBuffers::Create(Shared(8));
  Rng rng(1);
  std::vector<std::pair<ReceiveBuffer, std::string>> lent;
  for (int i = 0; i < 100'000; ++i) {
    const bool give_back = !buffers->Has(1) || rng.Chance(0.5);
    if (give_back && !lent.empty()) {
      std::swap(lent[rng.Below(lent.size())], lent.back());
      ASSERT_EQ(TextOf(lent.back().first), lent.back().second);
      buffers->Return(lent.back().first.id);
      lent.pop_back();
    } else {
      const size_t room = buffers->Take(1).bytes.size();
      const std::string text(rng.Between(1, std::min<size_t>(room, 40)),
                             static_cast<char>('a' + i % 26));
      lent.emplace_back(DeliverText(*buffers, text), text);
    }
  }
  for (const auto& [buffer, text] : lent) {
    ASSERT_EQ(TextOf(buffer), text);
    buffers->Return(buffer.id);
  }
  EXPECT_EQ(buffers->available(), 8u);
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
