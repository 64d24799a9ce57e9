// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/ready_shuffler.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "ringway/core/runnable.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/executor/testing/virtual_time_executor.h"

namespace ringway {
namespace {

struct Numbered : Runnable {
  Numbered() : Runnable([](Runnable&) {}) {}
  int number = 0;
};

std::vector<int> Shuffled(uint64_t seed) {
  std::array<Numbered, 8> entries;
  RunnableList list;
  for (size_t i = 0; i < entries.size(); ++i) {
    entries[i].number = static_cast<int>(i);
    list.PushBack(entries[i]);
  }
  ReadyShuffler shuffler(seed);
  std::vector<int> order;
  while (Runnable* entry = shuffler.PopNext(list))
    order.push_back(static_cast<Numbered*>(entry)->number);
  return order;
}

TEST(ReadyShuffler, TheSameSeedGivesTheSameOrder) {
  for (uint64_t seed = 1; seed <= 10; ++seed)
    EXPECT_EQ(Shuffled(seed), Shuffled(seed));
}

TEST(ReadyShuffler, EverythingIsThereOnceInOrdersThatDiffer) {
  std::set<std::vector<int>> orders;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::vector<int> order = Shuffled(seed);
    orders.insert(order);
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
  }
  EXPECT_GE(orders.size(), 19u);
}

TEST(ReadyShuffler, TakesItsSeedFromTheEnvironment) {
  unsetenv("RINGWAY_SHUFFLE_SEED");
  EXPECT_EQ(*ReadyShuffler::SeedFromEnvironment(), 0u);
  setenv("RINGWAY_SHUFFLE_SEED", "4711", 1);
  EXPECT_EQ(*ReadyShuffler::SeedFromEnvironment(), 4711u);
  setenv("RINGWAY_SHUFFLE_SEED", "random", 1);
  EXPECT_NE(*ReadyShuffler::SeedFromEnvironment(), 0u);
  setenv("RINGWAY_SHUFFLE_SEED", "some", 1);
  EXPECT_EQ(ReadyShuffler::SeedFromEnvironment().status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Executor::Create().status().code(),
            absl::StatusCode::kInvalidArgument);
  unsetenv("RINGWAY_SHUFFLE_SEED");
}

Task<void> Note(int number, std::vector<int>& order) {
  for (int i = 0; i < 3; ++i) {
    order.push_back(number);
    co_await Yield();
  }
}

Task<void> NoteInParallel(std::vector<int>& order) {
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < 8; ++i) handles.push_back(Spawn(Note(i, order)));
  for (JoinHandle<void>& handle : handles) {
    const absl::Status status = co_await handle;
    EXPECT_TRUE(status.ok());
  }
}

std::vector<int> OrderOfTasks(uint64_t seed) {
  ExecutorOptions options;
  options.loop.shuffle_seed = seed;
  VirtualTimeExecutor executor(options);
  std::vector<int> order;
  EXPECT_TRUE(executor->Run(NoteInParallel(order)).ok());
  return order;
}

TEST(ShuffledExecutor, RunsEveryTaskToItsEndInAnOrderOfTheSeed) {
  const std::vector<int> in_order = OrderOfTasks(0);
  const std::vector<int> shuffled = OrderOfTasks(7);
  EXPECT_EQ(shuffled.size(), in_order.size());
  EXPECT_NE(shuffled, in_order);
  EXPECT_EQ(shuffled, OrderOfTasks(7));
}

}  // namespace
}  // namespace ringway
