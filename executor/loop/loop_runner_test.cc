// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/loop_runner.h"

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/executor/testing/loop_conformance.h"

namespace ringway {
namespace {

using testing::CountedOperation;
using testing::LoopConformance;
using testing::TestFdPair;

struct Entry : Runnable {
  explicit Entry(std::function<void()> f)
      : Runnable([](Runnable& r) { static_cast<Entry&>(r).fn(); }),
        fn(std::move(f)) {}
  std::function<void()> fn;
};

class LoopRunnerTest : public LoopConformance {};

TEST_P(LoopRunnerTest, WithNothingToDoItReturnsAtOnce) {
  LoopRunner runner(loop());
  const MonotonicTime begin = Now();
  EXPECT_TRUE(runner.Run(RunMode::kUntilDone).ok());
  EXPECT_TRUE(runner.Run(RunMode::kOnce).ok());
  EXPECT_TRUE(runner.Run(RunMode::kNoWait).ok());
  EXPECT_LT(Now() - begin, absl::Seconds(5));
  EXPECT_EQ(loop().stats().backend.waits, 0u);
}

TEST_P(LoopRunnerTest, OnceWaitsForOneThingToHappen) {
  LoopRunner runner(loop());
  int fired = 0;
  Entry entry([&] { ++fired; });
  LoopTimer first, second;
  first.on_fired = second.on_fired = &entry;
  loop().ArmTimer(first, Now() + absl::Milliseconds(2));
  loop().ArmTimer(second, Now() + absl::Milliseconds(50));
  EXPECT_TRUE(runner.Run(RunMode::kOnce).ok());
  EXPECT_EQ(fired, 1);
  EXPECT_TRUE(runner.Run(RunMode::kOnce).ok());
  EXPECT_EQ(fired, 2);
}

TEST_P(LoopRunnerTest, UntilDoneLeavesNothing) {
  LoopRunner runner(loop());
  int fired = 0;
  CountedOperation last;
  PrepareNop(last);
  Entry entry([&] {
    ++fired;
    loop().Start(last);
  });
  LoopTimer timer;
  timer.on_fired = &entry;
  loop().ArmTimer(timer, Now() + absl::Milliseconds(2));
  EXPECT_TRUE(runner.Run(RunMode::kUntilDone).ok());
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(last.completions, 1);
  EXPECT_FALSE(loop().alive());
}

TEST_P(LoopRunnerTest, NoWaitDoesWhatCanBeDoneAndNeverBlocks) {
  TestFdPair pair = system().SocketPair();
  LoopRunner runner(loop());
  std::byte buffer[8];
  CountedOperation recv, nop;
  PrepareRecv(recv, pair.first.get(), buffer);
  PrepareNop(nop);
  loop().Start(recv);
  loop().Start(nop);
  EXPECT_TRUE(runner.Run(RunMode::kNoWait).ok());
  EXPECT_EQ(nop.completions, 1);
  EXPECT_EQ(recv.completions, 0);
  EXPECT_EQ(loop().stats().backend.waits, 0u);
  loop().CancelAll();
  EXPECT_TRUE(runner.Run(RunMode::kUntilDone).ok());
  EXPECT_EQ(recv.completions, 1);
}

TEST_P(LoopRunnerTest, ForAWhileLastsThatLong) {
  LoopRunner runner(loop());
  const MonotonicTime begin = Now();
  EXPECT_TRUE(runner.RunFor(absl::Milliseconds(5)).ok());
  EXPECT_GE(Now() - begin, absl::Milliseconds(5));
  EXPECT_TRUE(runner.RunFor(-absl::Seconds(1)).ok());
}

TEST_P(LoopRunnerTest, StopEndsARunForEverWithoutAnotherEvent) {
  LoopRunner runner(loop());
  int later = 0;
  Entry stop([&] { runner.Stop(); });
  Entry again([&] { ++later; });
  LoopTimer timer, never;
  timer.on_fired = &stop;
  never.on_fired = &again;
  loop().ArmTimer(timer, Now() + absl::Milliseconds(1));
  loop().ArmTimer(never, Now() + absl::Hours(10));
  EXPECT_TRUE(runner.Run(RunMode::kForever).ok());
  EXPECT_EQ(later, 0);
  loop().DisarmTimer(never);
}

TEST_P(LoopRunnerTest, ARunInsideARunIsAnError) {
  LoopRunner runner(loop());
  absl::Status inner, inner_for;
  Entry entry([&] {
    inner = runner.Run(RunMode::kNoWait);
    inner_for = runner.RunFor(absl::Milliseconds(1));
  });
  loop().Schedule(entry);
  EXPECT_TRUE(runner.Run(RunMode::kUntilDone).ok());
  EXPECT_EQ(inner.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(inner_for.code(), absl::StatusCode::kFailedPrecondition);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(LoopRunnerTest);

}  // namespace
}  // namespace ringway
