// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/workers/progress_board.h"

#include <vector>

#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

Progress ProgressOf(uint64_t requests, uint64_t errors, uint64_t latency_ns) {
  Progress progress;
  progress.elapsed = absl::Seconds(requests);
  progress.requests = requests;
  progress.errors = errors;
  progress.recent_ns.RecordN(latency_ns, requests);
  return progress;
}

TEST(ProgressBoardTest, TheFirstWorkerShowsTheLatestOfAll) {
  std::vector<Progress> shown;
  ProgressBoard board(
      3, [&](const Progress& progress) { shown.push_back(progress); });
  board.For(1)(ProgressOf(7, 1, 100));
  board.For(1)(ProgressOf(10, 2, 100));
  EXPECT_TRUE(shown.empty());
  board.For(0)(ProgressOf(5, 0, 50));
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0].requests, 15u);
  EXPECT_EQ(shown[0].errors, 2u);
  EXPECT_EQ(shown[0].elapsed, absl::Seconds(5));
  EXPECT_EQ(shown[0].recent_ns.count(), 15u);
  EXPECT_EQ(shown[0].recent_ns.min(), 50u);
  board.For(2)(ProgressOf(1, 0, 1));
  board.For(0)(ProgressOf(6, 0, 50));
  ASSERT_EQ(shown.size(), 2u);
  EXPECT_EQ(shown[1].requests, 17u);
}

}  // namespace
}  // namespace ringway::loadgen
