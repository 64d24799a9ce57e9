// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/report/live_line.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ringway::loadgen {
namespace {

TEST(LiveLineTest, TheRateIsThatSinceTheLineBefore) {
  LiveLine line;
  Progress progress;
  progress.elapsed = absl::Seconds(1);
  progress.left = absl::Seconds(4);
  progress.requests = 100'000;
  progress.recent_ns.RecordN(64'000, 100);
  EXPECT_EQ(line.Text(progress),
            "  1 s  100k/s  p50 64 us  p99 64 us  0 errors  4 s left");
  progress.elapsed = absl::Seconds(2);
  progress.left = absl::Seconds(3);
  progress.requests = 112'500;
  progress.errors = 1'234;
  EXPECT_EQ(line.Text(progress),
            "  2 s  12.5k/s  p50 64 us  p99 64 us  1,234 errors  3 s left");
}

TEST(LiveLineTest, ASecondWithoutAnswersHasNoLatencies) {
  LiveLine line;
  EXPECT_EQ(line.Text(Progress()), "  0 s  0/s  0 errors  0 s left");
}

}  // namespace
}  // namespace ringway::loadgen
