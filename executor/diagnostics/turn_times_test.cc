// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/diagnostics/turn_times.h"

#include <chrono>
#include <memory>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/sleep.h"

namespace ringway {
namespace {

// Keeps the processor, as a task that computes.
void BusyFor(absl::Duration duration) {
  const auto end =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(duration);
  while (std::chrono::steady_clock::now() < end) continue;
}

Task<void> ComputeInEachTurn(int n_turns) {
  for (int i = 0; i < n_turns; ++i) {
    BusyFor(absl::Microseconds(50));
    (co_await Sleep(absl::Nanoseconds(1))).IgnoreError();
  }
}

constexpr int kTurns = 300;

TEST(TurnTimes, HaveEachTurnAndTheTasksOfOneInSixtyFour) {
  auto executor = Executor::Create();
  ASSERT_TRUE(executor.ok()) << executor.status();
  auto times = std::make_unique<TurnTimes>();
  (*executor)->SetTurnTimes(times.get());
  ASSERT_TRUE((*executor)->Run(ComputeInEachTurn(kTurns)).ok());

  EXPECT_GE(times->turn.count(), uint64_t{kTurns});
  EXPECT_GE(times->turn.max(), 50'000u);
  const uint64_t n_measured =
      times->turn.count() / TurnTimes::kTurnsPerMeasured;
  EXPECT_GE(times->task_run.count(), uint64_t{1});
  EXPECT_LE(times->task_run.count(), n_measured + 1);
  EXPECT_EQ(times->ready_delay.count(), times->task_run.count());

  (*executor)->SetTurnTimes(nullptr);
  const uint64_t before = times->turn.count();
  ASSERT_TRUE((*executor)->Run(ComputeInEachTurn(3)).ok());
  EXPECT_EQ(times->turn.count(), before);
}

}  // namespace
}  // namespace ringway
