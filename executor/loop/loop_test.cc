// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/loop.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/executor/testing/loop_fixture.h"

namespace ringway {
namespace {

using testing::CountedOperation;
using testing::CountOpenFds;
using testing::Entry;
using testing::FdPair;
using testing::kPast;
using testing::LoopTest;
using testing::MakeSocketPair;
using testing::SendAll;

TEST_F(LoopTest, BudgetOfNothingIsRefused) {
  LoopOptions options;
  options.ready_budget = 0;
  EXPECT_EQ(Loop::Create(options).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// --- Ready entries

TEST_F(LoopTest, ReadyEntriesRunInTheOrderOfScheduling) {
  std::vector<int> order;
  Entry first([&] { order.push_back(1); });
  Entry second([&] { order.push_back(2); });
  Entry third([&] { order.push_back(3); });
  for (Entry* entry : {&first, &second, &third}) loop_->Schedule(*entry);

  loop_->Turn(kPast);

  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(loop_->stats().ready_run, 3u);
}

TEST_F(LoopTest, BudgetBoundsATurnAndIsCounted) {
  std::unique_ptr<Loop> loop = MakeLoop(/*ready_budget=*/4);
  int runs = 0;
  std::vector<std::unique_ptr<Entry>> entries;
  for (int i = 0; i < 10; ++i) {
    entries.push_back(std::make_unique<Entry>([&] { ++runs; }));
    loop->Schedule(*entries.back());
  }

  loop->Turn(MonotonicTime::Infinite());
  EXPECT_EQ(runs, 4);
  loop->Turn(MonotonicTime::Infinite());
  EXPECT_EQ(runs, 8);
  EXPECT_EQ(loop->stats().budget_exhausted, 2u);
  loop->Turn(kPast);
  EXPECT_EQ(runs, 10);
  EXPECT_EQ(loop->stats().budget_exhausted, 2u);
}

TEST_F(LoopTest, EntryThatReschedulesItselfStarvesNeitherTimersNorOperations) {
  FdPair sockets = MakeSocketPair();
  bool fired = false;
  Entry on_fired([&] { fired = true; });
  LoopTimer timer;
  timer.on_fired = &on_fired;
  CountedOperation recv;
  std::byte byte;
  PrepareRecv(recv, sockets.first.get(), {&byte, 1});
  bool stop = false;
  Entry greedy([&] {
    if (!stop) loop_->Schedule(greedy);
  });
  loop_->Start(recv);
  loop_->ArmTimer(timer, loop_->now() + absl::Milliseconds(1));
  loop_->Schedule(greedy);
  loop_->Turn(kPast);
  SendAll(sockets.second.get(), "x");

  TurnUntil([&] { return fired && recv.completions == 1; });

  stop = true;
  loop_->Turn(kPast);
  EXPECT_EQ(loop_->stats().backend.waits, 0u) << "it blocked while ready";
}

TEST_F(LoopTest, EntryThatThrowsLosesNoOther) {
  CountedOperation before, after;
  int runs = 0;
  Entry thrower([] { throw std::runtime_error("on purpose"); });
  Entry survivor([&] { ++runs; });
  PrepareNop(before);
  PrepareNop(after);
  loop_->Start(before);
  loop_->Start(after);
  loop_->Turn(kPast);  // both completions are ready now
  loop_->Schedule(thrower);
  loop_->Schedule(survivor);

  EXPECT_THROW(loop_->Turn(kPast), std::runtime_error);
  loop_->Turn(kPast);

  EXPECT_EQ(before.completions, 1);
  EXPECT_EQ(after.completions, 1);
  EXPECT_EQ(runs, 1);
}

// --- Operations

TEST_F(LoopTest, OperationsContinueInALaterTurnNeverFromStart) {
  CountedOperation nop;
  PrepareNop(nop);

  loop_->Start(nop);
  EXPECT_EQ(nop.completions, 0);
  EXPECT_TRUE(loop_->alive());
  loop_->Turn(kPast);
  EXPECT_EQ(nop.completions, 0);
  loop_->Turn(kPast);

  EXPECT_EQ(nop.completions, 1);
  EXPECT_FALSE(loop_->alive());
}

TEST_F(LoopTest, OneSystemCallPerTurnAtMost) {
  if (loop_->backend().name() != "uring") {
    GTEST_SKIP() << "only io_uring has batches";
  }
  FdPair sockets = MakeSocketPair();
  std::vector<CountedOperation> operations(30);
  std::byte byte{};
  for (int round = 0; round < 1'000; ++round) {
    for (size_t i = 0; i < operations.size(); i += 3) {
      PrepareNop(operations[i]);
      PrepareSend(operations[i + 1], sockets.first.get(), {&byte, 1});
      PrepareRecv(operations[i + 2], sockets.second.get(), {&byte, 1});
    }
    for (CountedOperation& op : operations) loop_->Start(op);
    TurnUntil([&] { return !loop_->alive(); });
  }

  EXPECT_LE(loop_->stats().backend.system_calls, loop_->stats().turns);
  for (CountedOperation& op : operations) EXPECT_EQ(op.completions, 1'000);
}

TEST_F(LoopTest, CancelOfAQueuedOperationCompletesIt) {
  CountedOperation nop;
  PrepareNop(nop);
  loop_->Start(nop);

  EXPECT_EQ(loop_->Cancel(nop), CancelOutcome::kNotStarted);
  EXPECT_EQ(nop.completions, 0);
  loop_->Turn(kPast);

  EXPECT_EQ(nop.completions, 1);
  EXPECT_EQ(nop.result, -ECANCELED);
}

TEST_F(LoopTest, CancelByFdEndsWhatIsQueuedAndWhatIsInFlightOnIt) {
  FdPair one = MakeSocketPair();
  FdPair other = MakeSocketPair();
  std::byte bytes[3][8];
  CountedOperation in_flight, queued, spared;
  PrepareRecv(in_flight, one.first.get(), bytes[0]);
  PrepareRecv(spared, other.first.get(), bytes[1]);
  loop_->Start(in_flight);
  loop_->Start(spared);
  loop_->Turn(kPast);
  PreparePoll(queued, one.first.get(), POLLIN);
  loop_->Start(queued);

  EXPECT_EQ(loop_->CancelFd(one.first.get()), 2u);

  TurnUntil([&] { return in_flight.completions + queued.completions == 2; });
  EXPECT_EQ(in_flight.result, -ECANCELED);
  EXPECT_EQ(queued.result, -ECANCELED);
  EXPECT_TRUE(spared.active());
  EXPECT_EQ(loop_->CancelAll(), 1u);
  TurnUntil([&] { return spared.completions == 1; });
  EXPECT_EQ(spared.result, -ECANCELED);
}

// --- The end

TEST_F(LoopTest, QuiesceEndsOperationsAndRunsNobody) {
  FdPair sockets = MakeSocketPair();
  CountedOperation in_flight, queued;
  std::byte byte;
  int runs = 0;
  Entry entry([&] { ++runs; });
  PrepareRecv(in_flight, sockets.first.get(), {&byte, 1});
  loop_->Start(in_flight);
  loop_->Turn(kPast);
  PrepareNop(queued);
  loop_->Start(queued);
  loop_->Schedule(entry);

  loop_->Quiesce();

  for (CountedOperation* op : {&in_flight, &queued}) {
    EXPECT_EQ(op->state, OpState::kDone);
    EXPECT_EQ(op->result, -ECANCELED);
    EXPECT_EQ(op->completions, 0);
  }
  EXPECT_EQ(runs, 0);
  EXPECT_FALSE(entry.linked());
  EXPECT_FALSE(loop_->alive());
  PrepareNop(queued);  // and it works on
  loop_->Start(queued);
  TurnUntil([&] { return queued.completions == 1; });
}

// Closes its fd when its receive has ended, as a closing stream does.
struct OrphanedReceive : Orphan {
  OrphanedReceive(Loop& loop, UniqueFd f, int& d)
      : Orphan(loop), fd(std::move(f)), deaths(d) {
    PrepareRecv(op, fd.get(), {&byte, 1});
  }
  ~OrphanedReceive() override { ++deaths; }
  void OnLoopEnd() override { ADD_FAILURE() << "it was adopted"; }
  UniqueFd fd;
  int& deaths;
  std::byte byte;
  CountedOperation op;
};

TEST_F(LoopTest, OrphansEndWithTheLoopAfterTheirOperations) {
  const size_t fds = CountOpenFds();
  FdPair sockets = MakeSocketPair();
  int deaths = 0;
  auto orphan = std::make_unique<OrphanedReceive>(
      *loop_, std::move(sockets.first), deaths);
  loop_->Start(orphan->op);
  loop_->Adopt(std::move(orphan));
  loop_->Turn(kPast);
  EXPECT_EQ(deaths, 0);

  loop_.reset();

  EXPECT_EQ(deaths, 1);
  sockets.second.Reset();
  EXPECT_LT(CountOpenFds(), fds);  // the loop's own are gone as well
}

TEST_F(LoopTest, BuriedOrphanIsDeletedAtOnce) {
  FdPair sockets = MakeSocketPair();
  int deaths = 0;
  auto owned = std::make_unique<OrphanedReceive>(
      *loop_, std::move(sockets.first), deaths);
  OrphanedReceive& orphan = *owned;
  loop_->Start(orphan.op);
  loop_->Adopt(std::move(owned));
  loop_->Turn(kPast);
  loop_->Cancel(orphan.op);
  TurnUntil([&] { return orphan.op.completions == 1; });

  loop_->Bury(orphan);

  EXPECT_EQ(deaths, 1);
}

TEST_F(LoopTest, EndWithEverythingOutstandingLeavesNoFd) {
  const size_t fds = CountOpenFds();
  {
    FdPair sockets = MakeSocketPair();
    CountedOperation in_flight, queued;
    Entry entry([] { FAIL() << "the end resumed somebody"; });
    std::byte byte;
    std::unique_ptr<Loop> loop = MakeLoop();
    PrepareRecv(in_flight, sockets.first.get(), {&byte, 1});
    loop->Start(in_flight);
    loop->Turn(kPast);
    PrepareNop(queued);
    loop->Start(queued);
    loop->Schedule(entry);
    loop.reset();
    EXPECT_EQ(in_flight.state, OpState::kDone);
    EXPECT_EQ(queued.state, OpState::kDone);
  }
  EXPECT_EQ(CountOpenFds(), fds);
}

using LoopDeathTest = LoopTest;

TEST_F(LoopDeathTest, StartingAnOperationTwiceAborts) {
  EXPECT_DEATH(
      {
        std::unique_ptr<Loop> loop = MakeLoop();
        CountedOperation nop;
        PrepareNop(nop);
        loop->Start(nop);
        loop->Start(nop);
      },
      "a nop operation was started twice");
}

TEST_F(LoopDeathTest, UseFromAForeignThreadAborts) {
  EXPECT_DEATH(
      {
        std::unique_ptr<Loop> loop = MakeLoop();
        std::thread([&] { loop->Turn(kPast); }).join();
      },
      "a loop was used from a foreign thread");
}

TEST_F(LoopDeathTest, UseInAForkedChildAborts) {
  EXPECT_DEATH(loop_->Turn(kPast), "a loop belongs to the parent process");
}

TEST_F(LoopDeathTest, EndInAForkedChildTouchesNothingOfTheParent) {
  FdPair sockets = MakeSocketPair(), others = MakeSocketPair();
  CountedOperation in_flight, queued;
  std::byte byte;
  int deaths = 0;
  Entry entry([] {});
  auto orphan = std::make_unique<OrphanedReceive>(
      *loop_, std::move(others.first), deaths);
  PrepareRecv(in_flight, sockets.first.get(), {&byte, 1});
  loop_->Start(in_flight);
  loop_->Start(orphan->op);
  loop_->Adopt(std::move(orphan));
  loop_->Turn(kPast);
  PrepareNop(queued);
  loop_->Start(queued);
  loop_->Schedule(entry);

  EXPECT_EXIT(
      {
        loop_.reset();
        _exit(7);
      },
      ::testing::ExitedWithCode(7), "");

  SendAll(sockets.second.get(), "x");
  TurnUntil([&] { return in_flight.completions == 1; });
  EXPECT_EQ(in_flight.result, 1);
  EXPECT_EQ(queued.completions, 1);
  EXPECT_EQ(deaths, 0);
  loop_.reset();
  EXPECT_EQ(deaths, 1);
}

}  // namespace
}  // namespace ringway
