// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/testing/cancel_race.h"

#include <cerrno>
#include <cstdint>

#include "ringway/backends/testing/test_scale.h"

namespace ringway::testing {
namespace {

constexpr uint64_t kRounds = 20'000;

}  // namespace

void Helper::Begin(const absl::FunctionRef<void()>* work) {
  work_ = work;
  state_.store(kBegun, std::memory_order_release);
  state_.notify_one();
}

void Helper::Loop() {
  while (true) {
    state_.wait(kIdle, std::memory_order_acquire);
    if (work_ == nullptr) return;
    (*work_)();
    state_.store(kIdle, std::memory_order_release);
    state_.notify_one();
  }
}

void CancelRace::SetUp() {
  BackendConformance::SetUp();
  if (IsSkipped() || HasFatalFailure()) return;
  BackendOptions options = Options();
  options.receive_buffer_count = 4;  // so that a lost one shows soon
  driver_ = std::make_unique<BackendDriver>(MakeForTest(options));
  if (system().is_kernel()) helper_ = std::make_unique<Helper>();
}

void CancelRace::Run(Race& race) {
  Operation& first = race.Prepare();  // first-use allocations happen here
  Interleave(race, first, 0);
  const size_t fds_before = system().OpenFds();
  int cancelled = 0;
  const int rounds = static_cast<int>(Scaled(kRounds));
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    Operation& op = race.Prepare();
    Interleave(race, op, round);
    cancelled += op.result == -ECANCELED;
  }
  EXPECT_EQ(driver()->stats().in_flight, 0u);
  EXPECT_EQ(driver()->stats().submitted, driver()->stats().completed);
  EXPECT_EQ(system().OpenFds(), fds_before);
  RecordProperty("cancelled", cancelled);
}

void CancelRace::Interleave(Race& race, Operation& op, int round) {
  const int turns_before = round % 3, turns_between = round / 3 % 3;
  const bool cancel_first = round / 9 % 2 == 0;
  const bool at_once = helper_ != nullptr && round / 18 % 4 == 3;
  const auto trigger = [&] { race.Trigger(); };
  const absl::FunctionRef<void()> work = trigger;

  driver().Start(op);
  driver().TurnWithoutBlocking(turns_before);
  if (at_once) {
    helper_->Begin(&work);
  } else if (!cancel_first) {
    race.Trigger();
  }
  driver().TurnWithoutBlocking(turns_between);
  driver().Cancel(op);
  if (!at_once && cancel_first) {
    driver().TurnWithoutBlocking(turns_between);
    race.Trigger();
  }
  ASSERT_TRUE(driver().RunUntil([&] { return op.state == OpState::kDone; }));
  if (at_once) helper_->Join();
  driver().TurnWithoutBlocking(1);  // runs ready entries; none may be new
  race.Settle();
}

}  // namespace ringway::testing
