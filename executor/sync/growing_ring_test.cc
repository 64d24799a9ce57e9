// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/sync/growing_ring.h"

#include <memory>
#include <utility>

#include "gtest/gtest.h"

namespace ringway::internal {
namespace {

using Element = std::unique_ptr<int>;

TEST(GrowingRing, KeepsTheOrderWhileItGrowsAndWraps) {
  GrowingRing<Element> ring;
  int next_in = 0;
  int next_out = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 7; ++i) ring.PushBack(std::make_unique<int>(next_in++));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(*ring.PopFront(), next_out++);
    EXPECT_EQ(ring.size(), static_cast<size_t>(next_in - next_out));
  }
  while (!ring.empty()) EXPECT_EQ(*ring.PopFront(), next_out++);
  EXPECT_EQ(next_out, next_in);
}

TEST(GrowingRing, KeepsItsMemoryAndTakesNoMoreThanItNeeds) {
  GrowingRing<Element> ring;
  EXPECT_EQ(ring.capacity(), 0u);
  for (int i = 0; i < 1000; ++i) {
    ring.PushBack(std::make_unique<int>(i));
    ring.PushBack(std::make_unique<int>(i));
    EXPECT_EQ(*ring.PopFront(), i);
    EXPECT_EQ(*ring.PopFront(), i);
  }
  EXPECT_EQ(ring.capacity(), 8u);
}

TEST(GrowingRing, DestroysWhatIsLeftInIt) {
  auto held = std::make_shared<int>(1);
  {
    GrowingRing<std::shared_ptr<int>> ring;
    for (int i = 0; i < 20; ++i) ring.PushBack(std::shared_ptr<int>(held));
    static_cast<void>(ring.PopFront());
    EXPECT_EQ(held.use_count(), 20);
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace ringway::internal
