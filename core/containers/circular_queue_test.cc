// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/containers/circular_queue.h"

#include <deque>
#include <memory>
#include <random>
#include <utility>

#include "gtest/gtest.h"

namespace ringway::internal {
namespace {

using Queue = CircularQueue<std::unique_ptr<int>>;

TEST(CircularQueue, GivesBackInOrderWhateverTheRoomAndHoweverItGrows) {
  for (size_t room : {0, 1, 2, 3, 8, 100}) {
    Queue queue;
    queue.Reserve(room);
    std::deque<int> model;
    std::mt19937 random(1);
    for (int i = 0; i < 10'000; ++i) {
      // Runs of pushes and runs of pops, so that it fills and empties.
      if ((i / 50 + random() % 3) % 2 == 0) {
        queue.PushBack(std::make_unique<int>(i));
        model.push_back(i);
      } else if (!model.empty()) {
        ASSERT_EQ(*queue.PopFront(), model.front());
        model.pop_front();
      }
      ASSERT_EQ(queue.size(), model.size());
    }
  }
}

TEST(CircularQueue, KeepsItsMemoryAndTakesNoMoreThanItNeeds) {
  Queue queue;
  EXPECT_EQ(queue.capacity(), 0u);
  for (int i = 0; i < 1000; ++i) {
    queue.PushBack(std::make_unique<int>(i));
    queue.PushBack(std::make_unique<int>(i));
    EXPECT_EQ(*queue.PopFront(), i);
    EXPECT_EQ(*queue.PopFront(), i);
  }
  EXPECT_EQ(queue.capacity(), 8u);
}

TEST(CircularQueue, ReservesWhatIsAskedForAndNoMore) {
  Queue queue;
  queue.Reserve(13);
  for (int i = 0; i < 13; ++i) queue.PushBack(std::make_unique<int>(i));
  EXPECT_EQ(queue.capacity(), 13u);
}

TEST(CircularQueue, DestroysWhatIsLeft) {
  auto counted = std::make_shared<int>(0);
  {
    CircularQueue<std::shared_ptr<int>> queue;
    for (int i = 0; i < 20; ++i) queue.PushBack(std::shared_ptr<int>(counted));
    for (int i = 0; i < 5; ++i) queue.PopFront();
    EXPECT_EQ(counted.use_count(), 16);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(CircularQueue, SwapsWithAnEmptyOne) {
  Queue full, empty;
  full.PushBack(std::make_unique<int>(1));
  empty.Swap(full);
  EXPECT_TRUE(full.empty());
  EXPECT_EQ(*empty.PopFront(), 1);
}

}  // namespace
}  // namespace ringway::internal
