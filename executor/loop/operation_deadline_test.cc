// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/operation_deadline.h"

#include <array>
#include <cerrno>
#include <deque>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/executor/testing/loop_conformance.h"

namespace ringway {
namespace {

using testing::LoopConformance;
using testing::TestFdPair;

// A receive with a deadline, and when it ended.
struct TimedReceive : Operation {
  explicit TimedReceive(Loop& l) : Operation(&OnDone), loop(l), deadline(l) {}

  void Start(int fd) {
    PrepareRecv(*this, fd, buffer);
    loop.Start(*this);
  }

  static void OnDone(Runnable& entry) {
    auto& self = static_cast<TimedReceive&>(static_cast<Operation&>(entry));
    ++self.completions;
    self.settled = self.deadline.Settle(self);
    self.ended_at = self.loop.backend().clock().Now();
  }

  Loop& loop;
  OperationDeadline deadline;
  std::array<std::byte, 16> buffer;
  int completions = 0;
  int32_t settled = 0;
  MonotonicTime ended_at;
};

class OperationDeadlineTest : public LoopConformance {};

TEST_P(OperationDeadlineTest, EndsAReceiveThatNobodySendsToAndNotEarly) {
  TestFdPair pair = system().SocketPair();
  TimedReceive receive(loop());
  receive.Start(pair.first.get());
  const MonotonicTime when = Now() + absl::Milliseconds(20);
  receive.deadline.Set(receive, when);
  TurnUntil([&] { return receive.completions > 0; });
  EXPECT_EQ(receive.settled, -ETIME);
  EXPECT_GE(receive.ended_at, when);
  loop().Turn(Now());
  EXPECT_EQ(receive.completions, 1);
}

TEST_P(OperationDeadlineTest, DataThatComesFirstIsTheResultAndNoTimerIsLeft) {
  TestFdPair pair = system().SocketPair();
  TimedReceive receive(loop());
  receive.Start(pair.first.get());
  receive.deadline.Set(receive, Now() + absl::Hours(1));
  SendAll(pair.second.get(), "first");
  TurnUntil([&] { return receive.completions > 0; });
  EXPECT_EQ(receive.settled, 5);
  EXPECT_FALSE(loop().alive()) << "something is left behind";
}

TEST_P(OperationDeadlineTest, InThePastNothingIsTransferred) {
  TestFdPair pair = system().SocketPair();
  SendAll(pair.second.get(), "there already");
  TimedReceive receive(loop());
  receive.Start(pair.first.get());
  receive.deadline.Set(receive, loop().now() + -absl::Seconds(1));
  TurnUntil([&] { return receive.completions > 0; });
  EXPECT_EQ(receive.settled, -ETIME);
  EXPECT_EQ(system().Receive(pair.first.get(), 100), "there already");
}

TEST_P(OperationDeadlineTest, CanBeSetAfterTheOperationWasSubmitted) {
  TestFdPair pair = system().SocketPair();
  TimedReceive receive(loop());
  receive.Start(pair.first.get());
  loop().Turn(MonotonicTime::FromNanoseconds(0));
  ASSERT_EQ(receive.state, OpState::kInFlight);
  receive.deadline.Set(receive, Now() + absl::Milliseconds(1));
  TurnUntil([&] { return receive.completions > 0; });
  EXPECT_EQ(receive.settled, -ETIME);
}

TEST_P(OperationDeadlineTest, ThatWasMovedCountsAsItStandsNow) {
  TestFdPair pair = system().SocketPair();
  TimedReceive receive(loop());
  receive.Start(pair.first.get());
  receive.deadline.Set(receive, Now() + absl::Hours(1));
  const MonotonicTime when = Now() + absl::Milliseconds(2);
  receive.deadline.Set(receive, when);
  TurnUntil([&] { return receive.completions > 0; });
  EXPECT_EQ(receive.settled, -ETIME);
  EXPECT_GE(receive.ended_at, when);
}

TEST_P(OperationDeadlineTest, ThatWasTakenBackEndsNothing) {
  TestFdPair pair = system().SocketPair();
  TimedReceive receive(loop());
  receive.Start(pair.first.get());
  receive.deadline.Set(receive, Now() + absl::Milliseconds(1));
  receive.deadline.Clear();
  const MonotonicTime later = Now() + absl::Milliseconds(5);
  TurnUntil([&] { return Now() >= later; });
  EXPECT_EQ(receive.completions, 0);
  SendAll(pair.second.get(), "late");
  TurnUntil([&] { return receive.completions > 0; });
  EXPECT_EQ(receive.settled, 4);
}

TEST_P(OperationDeadlineTest, ACancelBeforeItIsACancel) {
  TestFdPair pair = system().SocketPair();
  TimedReceive receive(loop());
  receive.Start(pair.first.get());
  receive.deadline.Set(receive, Now() + absl::Hours(1));
  loop().Cancel(receive);
  TurnUntil([&] { return receive.completions > 0; });
  EXPECT_EQ(receive.settled, -ECANCELED);
}

// Each is cancelled in the same turn, through a queue of 64. The kernel looks
// up the targets in a table whose size depends on the completion queue's.
TEST_P(OperationDeadlineTest, AHundredThousandAtOnceAllEnd) {
  BackendOptions options = Options();
  options.submission_entries = 64;
  options.completion_entries = 65'536;
  MakeLoop(options);
  TestFdPair pair = system().SocketPair();
  std::deque<TimedReceive> receives;
  const MonotonicTime when = Now() + absl::Milliseconds(100);
  for (int i = 0; i < 100'000; ++i) {
    TimedReceive& receive = receives.emplace_back(loop());
    receive.Start(pair.first.get());
    receive.deadline.Set(receive, when);
  }
  TurnUntil([&] { return !loop().alive(); });
  for (const TimedReceive& receive : receives) {
    ASSERT_EQ(receive.completions, 1);
    ASSERT_EQ(receive.settled, -ETIME);
  }
}

// Ten at once on a queue of one entry, each with a deadline.
TEST_P(OperationDeadlineTest, WorksOnAQueueOfOneEntry) {
  BackendOptions options = Options();
  options.submission_entries = 1;
  options.completion_entries = 2;
  MakeLoop(options);
  TestFdPair pair = system().SocketPair();
  std::deque<TimedReceive> receives;
  for (int i = 0; i < 10; ++i) {
    TimedReceive& receive = receives.emplace_back(loop());
    receive.Start(pair.first.get());
    receive.deadline.Set(receive, Now() + absl::Milliseconds(5));
  }
  TurnUntil([&] { return !loop().alive(); });
  for (const TimedReceive& receive : receives) {
    EXPECT_EQ(receive.completions, 1);
    EXPECT_EQ(receive.settled, -ETIME);
  }
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(OperationDeadlineTest);

}  // namespace
}  // namespace ringway
