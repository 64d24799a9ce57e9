// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/process_wide.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace ringway {
namespace {

TEST(ProcessWide, IsMadeOnceForAllThreads) {
  static ProcessWide<int> shared;
  std::vector<int*> found(8);
  std::vector<std::thread> threads;
  for (int*& each : found) {
    threads.emplace_back([&each] {
      each = &shared.Get([] { return std::make_unique<int>(7); });
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<int*>(found.begin(), found.end()).size(), 1u);
  EXPECT_EQ(*found.front(), 7);
}

TEST(ProcessWide, IsNotMadeByLookingForIt) {
  static ProcessWide<int> shared;
  EXPECT_EQ(shared.Find(), nullptr);
  int& made = shared.Get([] { return std::make_unique<int>(7); });
  EXPECT_EQ(shared.Find(), &made);
}

TEST(ProcessWide, AForkedChildGetsAnother) {
  static ProcessWide<pid_t> shared;
  const auto make = [] { return std::make_unique<pid_t>(getpid()); };
  EXPECT_EQ(shared.Get(make), getpid());
  const pid_t child = fork();
  if (child == 0) {
    if (shared.Find() != nullptr) _exit(2);
    const bool own = shared.Get(make) == getpid();
    _exit(own && shared.Get(make) == getpid() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(shared.Get(make), getpid());
}

}  // namespace
}  // namespace ringway
