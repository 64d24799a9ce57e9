// SPDX-License-Identifier: Apache-2.0
//
// Spinning before blocking, on every backend: a visible completion ends the
// wait without blocking, and a backend that cannot see completions blocks at
// once.

#include <poll.h>

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/testing/loop_conformance.h"

namespace ringway::testing {
namespace {

constexpr MonotonicTime kPast = MonotonicTime::FromNanoseconds(0);

// A timer that remembers that it fired.
struct Alarm : Runnable {
  Alarm() : Runnable([](Runnable& r) { static_cast<Alarm&>(r).fired = true; }) {
    timer.on_fired = this;
  }
  LoopTimer timer;
  bool fired = false;
};

class SpinConformance : public LoopConformance {
 protected:
  void SetUp() override {
    LoopConformance::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    LoopOptions options;
    options.backend = Options();
    options.spin = SpinMode::kFixed;
    options.spin_limit = absl::Milliseconds(1);
    MakeLoop(options);
    // One-time work of the backend, such as arming its doorbell, is done.
    loop().Turn(kPast);
  }

  // Without polling in between, because waits are counted.
  void WaitUntil(absl::FunctionRef<bool()> done) {
    while (loop().Work(), !done()) loop().Wait(MonotonicTime::Infinite());
  }

  uint64_t n_spins() {
    return loop().stats().spins_paid + loop().stats().spins_unpaid;
  }
  uint64_t n_blocks() { return loop().stats().backend.waits; }
};

TEST_P(SpinConformance, ATimerThatIsDueSoonNeedsNoBlock) {
  Alarm alarm;
  const uint64_t blocks_before = n_blocks();
  loop().ArmTimer(alarm.timer, Now() + absl::Microseconds(200));
  WaitUntil([&] { return alarm.fired; });

  if (loop().backend().can_peek()) {
    EXPECT_GE(loop().stats().spins_paid, 1u);
    EXPECT_EQ(n_blocks(), blocks_before);
  } else {
    EXPECT_EQ(n_spins(), 0u);
  }
}

TEST_P(SpinConformance, WhatIsDoneAtOnceNeedsNoSpin) {
  CountedOperation nop;
  PrepareNop(nop);
  loop().Start(nop);
  WaitUntil([&] { return !nop.active(); });
  EXPECT_EQ(nop.result, 0);
  EXPECT_EQ(n_spins(), 0u);
}

// Longer than a spin takes: the loop blocks, and once.
TEST_P(SpinConformance, ALongWaitBlocksAfterOneSpin) {
  Alarm alarm;
  loop().ArmTimer(alarm.timer, Now() + absl::Milliseconds(20));
  WaitUntil([&] { return alarm.fired; });

  if (loop().backend().can_peek()) {
    EXPECT_GE(loop().stats().spins_unpaid, 1u);
    EXPECT_LE(n_spins(), 4u);
  } else {
    EXPECT_EQ(n_spins(), 0u);
  }
}

TEST_P(SpinConformance, ADeadlineThatHasPassedNeverSpins) {
  for (int i = 0; i < 100; ++i) loop().Turn(kPast);
  EXPECT_EQ(n_spins(), 0u);
}

// Operations started in a turn are submitted before the spin; blocking
// afterwards is a separate system call.
TEST_P(SpinConformance, ATurnThatSpinsMakesOneSystemCallMoreAtMost) {
  if (!loop().backend().can_peek())
    GTEST_SKIP() << "cannot look on, so it never spins";
  TestFdPair pipe = system().Pipe();
  const LoopStats before = loop().stats();
  for (int round = 0; round < 10; ++round) {
    CountedOperation poll;
    PreparePoll(poll, pipe.first.get(), POLLIN);
    loop().Start(poll);
    Alarm alarm;
    loop().ArmTimer(alarm.timer, Now() + absl::Milliseconds(3));
    WaitUntil([&] { return alarm.fired; });
    loop().Cancel(poll);
    WaitUntil([&] { return !poll.active(); });
  }

  const LoopStats after = loop().stats();
  EXPECT_GE(n_spins(), 10u);
  EXPECT_LE(after.backend.system_calls - before.backend.system_calls,
            after.turns - before.turns + n_spins());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SpinConformance);

}  // namespace
}  // namespace ringway::testing
