// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/distribution/worker_choice.h"

#include <array>
#include <cstddef>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace ringway::internal {
namespace {

std::vector<int> Choose(WorkerChoice& choice, std::vector<WorkerLoad>& loads,
                        int n) {
  std::vector<int> chosen;
  for (int i = 0; i < n; ++i) {
    chosen.push_back(choice.Next(loads));
    ++loads[static_cast<size_t>(chosen.back())].connections;
  }
  return chosen;
}

TEST(WorkerChoice, RoundRobinTakesTurns) {
  WorkerChoice choice(Balancing::kRoundRobin, 1);
  std::vector<WorkerLoad> loads(3);
  loads[0].connections = 100;  // which does not count
  EXPECT_EQ(Choose(choice, loads, 7), (std::vector{0, 1, 2, 0, 1, 2, 0}));
}

TEST(WorkerChoice, ChunksGoToOneWorkerInARow) {
  WorkerChoice choice(Balancing::kChunked, 3);
  std::vector<WorkerLoad> loads(2);
  EXPECT_EQ(Choose(choice, loads, 8), (std::vector{0, 0, 0, 1, 1, 1, 0, 0}));
}

TEST(WorkerChoice, LeastConnectionsEvensOut) {
  WorkerChoice choice(Balancing::kLeastConnections, 1);
  std::vector<WorkerLoad> loads(3);
  loads[0].connections = 2;
  loads[1].connections = 1;
  EXPECT_EQ(Choose(choice, loads, 6), (std::vector{2, 1, 2, 0, 1, 2}));
  EXPECT_EQ(loads[0].connections, 3u);
  EXPECT_EQ(loads[1].connections, 3u);
  EXPECT_EQ(loads[2].connections, 3u);
}

TEST(WorkerChoice, ABusyWorkerIsPassedOverWhileOthersAreNot) {
  for (const Balancing balancing :
       {Balancing::kLeastConnections, Balancing::kRoundRobin,
        Balancing::kChunked}) {
    WorkerChoice choice(balancing, 4);
    std::vector<WorkerLoad> loads(2);
    loads[0].untaken = 1;
    loads[1].connections = 50;
    EXPECT_EQ(Choose(choice, loads, 3), (std::vector{1, 1, 1}));
    loads[1].untaken = 2;  // now it is the busier one
    EXPECT_EQ(choice.Next(loads), 0);
  }
}

TEST(WorkerChoice, AFullWorkerGetsOneOnlyIfAllAreFull) {
  WorkerChoice choice(Balancing::kRoundRobin, 1);
  std::vector<WorkerLoad> loads(2);
  loads[0].full = true;
  loads[1].untaken = 9;
  EXPECT_EQ(choice.Next(loads), 1);
  loads[1].full = true;
  EXPECT_EQ(choice.Next(loads), 0);
}

TEST(WorkerChoice, ExcludedOnesAreNeverChosen) {
  WorkerChoice choice(Balancing::kLeastConnections, 1);
  std::vector<WorkerLoad> loads(2);
  loads[0].excluded = true;
  loads[1].full = true;
  EXPECT_EQ(choice.Next(loads), 1);
  loads[1].excluded = true;
  EXPECT_EQ(choice.Next(loads), -1);
  EXPECT_EQ(choice.Next({}), -1);
}

// Whatever ends meanwhile, no worker is ever two connections ahead of one that
// could have had them.
TEST(WorkerChoice, LeastConnectionsHoldsForRandomLoads) {
  std::minstd_rand random(1);
  WorkerChoice choice(Balancing::kLeastConnections, 1);
  std::vector<WorkerLoad> loads(5);
  for (int i = 0; i < 10'000; ++i) {
    const auto chosen = static_cast<size_t>(choice.Next(loads));
    for (const WorkerLoad& load : loads)
      ASSERT_LE(loads[chosen].connections, load.connections);
    ++loads[chosen].connections;
    WorkerLoad& ends = loads[random() % loads.size()];
    if (ends.connections > 0) --ends.connections;
  }
}

}  // namespace
}  // namespace ringway::internal
