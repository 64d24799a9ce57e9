// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/open_loop/recovery_watch.h"

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/tools/loadgen/open_loop/phases.h"

namespace ringway::loadgen {
namespace {

constexpr MonotonicTime kBegin = MonotonicTime::FromNanoseconds(77);
constexpr uint64_t kRate = 10'000;  // 1,000 a window

Phase MinuteOf(uint64_t rate) { return {rate, absl::Minutes(1)}; }

class RecoveryWatchTest : public ::testing::Test {
 protected:
  // 100 ms more, in which the server answers `answers`.
  void Window(uint64_t answers) {
    now_ = now_ + absl::Milliseconds(100);
    offered_ += kRate / 10;
    answered_ += answers;
    watch_.Sample(now_, offered_, answered_);
  }

  RecoveryWatch watch_{kBegin, MinuteOf(kRate)};
  MonotonicTime now_ = kBegin;
  uint64_t offered_ = 0;
  uint64_t answered_ = 0;
};

TEST_F(RecoveryWatchTest, ServerThatKeepsUpHasRecoveredAfterTheFirstWindow) {
  Window(960);
  EXPECT_EQ(watch_.recovered_after(), absl::Milliseconds(100));
}

TEST_F(RecoveryWatchTest, AServerTooSlowNeverRecovers) {
  for (int i = 0; i < 100; ++i) Window(940);
  EXPECT_EQ(watch_.recovered_after(), std::nullopt);
}

TEST_F(RecoveryWatchTest, ABacklogIsWorkedOffFirst) {
  Window(3'000);
  Window(3'000);
  Window(1'060);
  EXPECT_EQ(watch_.recovered_after(), std::nullopt);
  Window(1'040);
  EXPECT_EQ(watch_.recovered_after(), absl::Milliseconds(400));
}

TEST_F(RecoveryWatchTest, WhatComesLaterChangesNothing) {
  Window(1'000);
  Window(0);
  Window(1'000);
  EXPECT_EQ(watch_.recovered_after(), absl::Milliseconds(100));
}

TEST_F(RecoveryWatchTest, SamplesWithinAWindowCloseNone) {
  for (int i = 1; i < 100; ++i)
    watch_.Sample(kBegin + absl::Milliseconds(i), 10, 10);
  EXPECT_EQ(watch_.recovered_after(), std::nullopt);
  watch_.Sample(kBegin + absl::Milliseconds(100), 1'000, 1'000);
  EXPECT_EQ(watch_.recovered_after(), absl::Milliseconds(100));
}

TEST(RecoveryWatch, WindowsOfLowRatesHoldEnoughRequests) {
  EXPECT_EQ(RecoveryWatch::WindowOf(MinuteOf(1'000'000)),
            absl::Milliseconds(100));
  EXPECT_EQ(RecoveryWatch::WindowOf(MinuteOf(2'000)), absl::Milliseconds(100));
  EXPECT_EQ(RecoveryWatch::WindowOf(MinuteOf(100)), absl::Seconds(2));
  EXPECT_EQ(RecoveryWatch::WindowOf(Phase(100, absl::Seconds(1))),
            absl::Seconds(1));
}

TEST(RecoveryWatch, AWindowWithoutRequestsShowsNothing) {
  RecoveryWatch watch(kBegin, MinuteOf(kRate));
  watch.Sample(kBegin + absl::Milliseconds(100), 0, 0);
  EXPECT_EQ(watch.recovered_after(), std::nullopt);
}

}  // namespace
}  // namespace ringway::loadgen
