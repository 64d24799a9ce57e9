// SPDX-License-Identifier: Apache-2.0
//
// Cancels, deadlines and timers.

#include <poll.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/ring/ring.h"
#include "ringway/executor/ring/ring_fixture.h"

namespace ringway {
namespace {

using testing::BytesOf;
using testing::Log;
using testing::Once;
using testing::TestFd;
using testing::TestFdPair;

class RingCancelTest : public testing::RingConformance {
 protected:
  TestFdPair pair_;
  std::array<std::byte, 16> buffer_ = {};

  void SetUp() override {
    RingConformance::SetUp();
    if (!IsSkipped()) pair_ = system().SocketPair();
  }
  void TearDown() override {
    EndRing();
    pair_ = {};
  }
};

// --- Cancels

TEST_P(RingCancelTest, EndsEachKindOnceAsCancelled) {
  TestFd listener = system().TcpListener(/*backlog=*/8);
  Log log;
  const RingTask tasks[] = {
      ring().Recv(pair_.first.get(), buffer_, log.At(0)),
      ring().Timer(absl::Hours(1), log.At(1)),
      ring().Accept(listener.get(), log.At(2)),
      ring().Poll(pair_.first.get(), POLLIN, log.At(3)),
      ring().RecvMultishot(pair_.second.get(), log.At(4)),
      ring().AcceptMultishot(listener.get(), log.At(5)),
      ring().PollMultishot(pair_.second.get(), POLLIN, log.At(6)),
  };
  RunWithoutWaiting();
  ASSERT_TRUE(log.entries().empty());
  for (RingTask task : tasks) {
    EXPECT_NE(ring().Cancel(task), CancelOutcome::kNotFound);
  }
  RunUntilDone();
  uint16_t which = 0;
  for (RingTask task : tasks) {
    EXPECT_EQ(log.Finals(which), Once(-ECANCELED)) << which;
    EXPECT_EQ(ring().Cancel(task), CancelOutcome::kNotFound) << which;
    ++which;
  }
  EXPECT_EQ(log.entries().size(), std::size(tasks));
}

TEST_P(RingCancelTest, BeforeSubmissionNothingIsTransferred) {
  SendAll(pair_.second.get(), "waiting");
  Log log;
  const RingTask task = ring().Recv(pair_.first.get(), buffer_, log.At(0));
  EXPECT_EQ(ring().Cancel(task), CancelOutcome::kNotStarted);
  EXPECT_TRUE(log.entries().empty());
  RunUntilDone();
  EXPECT_EQ(log.Finals(0), Once(-ECANCELED));
  EXPECT_EQ(system().Receive(pair_.first.get(), 100), "waiting");
}

// The slot is the same, a thousand times; the name is not.
TEST_P(RingCancelTest, AStaleTaskNeverFindsTheNextOccupant) {
  Log log;
  std::vector<RingTask> stale;
  for (int i = 0; i < 1'000; ++i) {
    stale.push_back(ring().Nop(log.At(0)));
    RunUntilDone();
  }
  const RingTask occupant = ring().Recv(pair_.first.get(), buffer_, log.At(1));
  for (RingTask task : stale) {
    EXPECT_EQ(task.index, occupant.index);
    EXPECT_EQ(ring().Cancel(task), CancelOutcome::kNotFound);
    EXPECT_FALSE(ring().SetDeadline(task, ring().Now()));
    EXPECT_FALSE(ring().ResetTimer(task, absl::ZeroDuration()));
  }
  SendAll(pair_.second.get(), "untouched");
  RunUntilDone();
  EXPECT_EQ(log.Finals(1), Once(9));
}

TEST_P(RingCancelTest, ByFdHitsBothDirectionsAndNoOther) {
  TestFdPair other = system().SocketPair();
  Log log;
  ring().Recv(pair_.first.get(), buffer_, log.At(0));
  ring().Poll(pair_.first.get(), POLLRDHUP, log.At(1));
  ring().Poll(other.first.get(), POLLIN, log.At(2));
  RunWithoutWaiting();
  ring().RecvMultishot(pair_.first.get(), log.At(3));  // not yet submitted

  EXPECT_EQ(ring().CancelFd(pair_.first.get()), 3u);

  RunWithoutWaiting();
  SendAll(other.second.get(), "x");
  RunUntilDone();
  for (uint16_t i : {0, 1, 3}) EXPECT_EQ(log.Finals(i), Once(-ECANCELED)) << i;
  EXPECT_EQ(log.Finals(2), Once(POLLIN));
}

TEST_P(RingCancelTest, OfAllEndsEverythingOnce) {
  Log log;
  const uint16_t kEach = 300;
  for (uint16_t i = 0; i < kEach; ++i) {
    ring().Recv(pair_.first.get(), buffer_, log.At(3 * i));
    ring().Timer(absl::Hours(1), log.At(3 * i + 1));
    ring().Poll(pair_.first.get(), POLLIN, log.At(3 * i + 2));
    if (i == kEach / 2) RunWithoutWaiting();
  }
  EXPECT_EQ(ring().CancelAll(), 3u * kEach);
  EXPECT_EQ(ring().CancelAll(), 0u);
  RunUntilDone();
  for (uint16_t i = 0; i < 3 * kEach; ++i) {
    ASSERT_EQ(log.Finals(i), Once(-ECANCELED)) << i;
  }
}

// --- Deadlines

TEST_P(RingCancelTest, ADeadlineIsReportedAsOneAndNeverEarly) {
  Log log;
  MonotonicTime ended_at;
  absl::Status status;
  log.then = [&](Ring& ring, uint16_t, Completion& done) {
    ended_at = ring.Now();
    status = done.status();
  };
  const RingTask task = ring().Recv(pair_.first.get(), buffer_, log.At(0));
  const MonotonicTime when = ring().Now() + absl::Milliseconds(5);
  EXPECT_TRUE(ring().SetDeadline(task, when));
  RunUntilDone();
  EXPECT_EQ(log.Finals(0), Once(-ETIME));
  EXPECT_TRUE(absl::IsDeadlineExceeded(status));
  EXPECT_EQ(status.message(), "recv: the deadline passed");
  EXPECT_EQ(ErrnoOf(status), ETIME);
  EXPECT_GE(ended_at, when);
}

TEST_P(RingCancelTest, ADeadlineMayComeAfterSubmissionMoveAndBeTakenBack) {
  TestFdPair other = system().SocketPair();
  Log log;
  const RingTask moved = ring().Recv(pair_.first.get(), buffer_, log.At(0));
  const RingTask spared = ring().Poll(other.first.get(), POLLIN, log.At(1));
  const RingTask multishot =
      ring().RecvMultishot(pair_.second.get(), log.At(2));
  RunWithoutWaiting();
  const MonotonicTime soon = ring().Now() + absl::Milliseconds(2);
  EXPECT_TRUE(ring().SetDeadline(moved, ring().Now() + absl::Hours(1)));
  EXPECT_TRUE(ring().SetDeadline(moved, soon));
  EXPECT_TRUE(ring().SetDeadline(multishot, soon));
  EXPECT_TRUE(ring().SetDeadline(spared, soon));
  EXPECT_TRUE(ring().SetDeadline(spared, MonotonicTime::Infinite()));
  while (log.Finals(0).empty() || log.Finals(2).empty()) {
    ASSERT_EQ(ring().Run(RunMode::kOnce), absl::OkStatus());
  }
  EXPECT_EQ(log.Finals(0), Once(-ETIME));
  EXPECT_EQ(log.Finals(2), Once(-ETIME));
  EXPECT_TRUE(log.Finals(1).empty());
  SendAll(other.second.get(), "x");
  RunUntilDone();
  EXPECT_EQ(log.Finals(1), Once(POLLIN));
}

TEST_P(RingCancelTest, ADeadlineInThePastTransfersNothing) {
  SendAll(pair_.second.get(), "there already");
  Log log;
  const RingTask task = ring().Recv(pair_.first.get(), buffer_, log.At(0));
  EXPECT_TRUE(ring().SetDeadline(task, ring().Now() + -absl::Seconds(1)));
  RunUntilDone();
  EXPECT_EQ(log.Finals(0), Once(-ETIME));
  EXPECT_EQ(system().Receive(pair_.first.get(), 100), "there already");
}

TEST_P(RingCancelTest, DataBeforeTheDeadlineLeavesNoTraceOfIt) {
  Log log;
  const RingTask task = ring().Recv(pair_.first.get(), buffer_, log.At(0));
  EXPECT_TRUE(ring().SetDeadline(task, ring().Now() + absl::Hours(1)));
  SendAll(pair_.second.get(), "first");
  const MonotonicTime begin = ring().Now();
  RunUntilDone();
  EXPECT_EQ(log.Finals(0), Once(5));
  EXPECT_LT(ring().Now() - begin, absl::Minutes(30)) << "a timer was left";
}

TEST_P(RingCancelTest, ACancelBeforeTheDeadlineIsACancel) {
  Log log;
  const RingTask task = ring().Recv(pair_.first.get(), buffer_, log.At(0));
  RunWithoutWaiting();
  EXPECT_TRUE(ring().SetDeadline(task, ring().Now() + absl::Hours(1)));
  EXPECT_EQ(ring().Cancel(task), CancelOutcome::kRequested);
  EXPECT_FALSE(ring().SetDeadline(task, ring().Now()));
  RunUntilDone();
  EXPECT_EQ(log.Finals(0), Once(-ECANCELED));
}

TEST_P(RingCancelTest, ATimerHasADeadlineLikeEverythingElse) {
  Log log;
  const RingTask late = ring().Timer(absl::Hours(1), log.At(0));
  const RingTask in_time = ring().Timer(absl::Milliseconds(1), log.At(1));
  EXPECT_TRUE(ring().SetDeadline(late, ring().Now() + absl::Milliseconds(2)));
  EXPECT_TRUE(ring().SetDeadline(in_time, ring().Now() + absl::Hours(1)));
  RunUntilDone();
  EXPECT_EQ(log.Finals(0), Once(-ETIME));
  EXPECT_EQ(log.Finals(1), Once(0));
}

TEST_P(RingCancelTest, TenThousandWithTheSameDeadlineAllEnd) {
  BackendOptions small = Options();
  small.submission_entries = 64;
  small.completion_entries = 4096;
  MakeRing(RingOptions(), small);
  Log log;
  const MonotonicTime when = ring().Now() + absl::Milliseconds(50);
  for (uint16_t i = 0; i < 10'000; ++i) {
    const RingTask task = ring().Recv(pair_.first.get(), buffer_, log.At(i));
    EXPECT_TRUE(ring().SetDeadline(task, when));
  }
  RunUntilDone();
  std::vector<int> told(10'000);
  for (const Log::Entry& entry : log.entries()) {
    EXPECT_EQ(entry.result, -ETIME);
    ++told[entry.which];
  }
  EXPECT_EQ(told, std::vector<int>(10'000, 1));
}

// --- Timers

TEST_P(RingCancelTest, TimersNeverFireEarly) {
  Log log;
  std::array<MonotonicTime, 100> due;
  int early = 0;
  log.then = [&](Ring& ring, uint16_t which, Completion&) {
    if (ring.Now() < due[which]) ++early;
  };
  uint16_t which = 0;
  for (MonotonicTime& each : due) {
    const absl::Duration delay = absl::Microseconds(which * 7'919 % 100 * 50);
    each = ring().Now() + delay;
    ring().Timer(delay, log.At(which));
    ++which;
  }
  RunUntilDone();
  EXPECT_EQ(log.entries().size(), due.size());
  EXPECT_EQ(early, 0);
}

TEST_P(RingCancelTest, TimersOfTheSameTimeFireInTheOrderOfTheirStart) {
  Log log;
  for (uint16_t i = 0; i < 100; ++i) {
    ring().Timer(-absl::InfiniteDuration(), log.At(i));
  }
  RunUntilDone();
  ASSERT_EQ(log.entries().size(), 100u);
  for (uint16_t i = 0; i < 100; ++i) EXPECT_EQ(log.entries()[i].which, i);
}

TEST_P(RingCancelTest, OddDelaysAreDefined) {
  Log log;
  ring().Timer(absl::ZeroDuration(), log.At(0));
  ring().Timer(-absl::InfiniteDuration(), log.At(1));
  const RingTask never = ring().Timer(absl::InfiniteDuration(), log.At(2));
  while (log.entries().size() < 2) {
    ASSERT_EQ(ring().Run(RunMode::kOnce), absl::OkStatus());
  }
  EXPECT_EQ(log.Finals(0), Once(0));
  EXPECT_EQ(log.Finals(1), Once(0));
  EXPECT_EQ(ring().Cancel(never), CancelOutcome::kNotStarted);
  RunUntilDone();
  EXPECT_EQ(log.Finals(2), Once(-ECANCELED));
}

TEST_P(RingCancelTest, ATimerOfZeroThatStartsItselfAgainFiresOnceATurn) {
  Log log;
  log.then = [](Ring& ring, uint16_t which, Completion&) {
    if (which == 0) ring.Stop();
  };
  struct Repeater {
    static void OnTime(Ring& ring, Repeater& self, Completion) {
      ++self.times;
      ring.Timer(absl::ZeroDuration(), Context(&self, &OnTime));
    }
    uint64_t times = 0;
  } repeater;
  ring().Timer(absl::ZeroDuration(), Context(&repeater, &Repeater::OnTime));
  ring().Poll(pair_.first.get(), POLLIN, log.At(0));
  RunWithoutWaiting();
  SendAll(pair_.second.get(), "x");
  EXPECT_EQ(ring().Run(RunMode::kForever), absl::OkStatus());
  const uint64_t turns = ring().stats().loop.turns;
  EndRing();  // gets the end, at which nothing can be started
  EXPECT_LE(repeater.times, turns + 1);
}

// Whenever it is reset there is one callback, at the new time.
TEST_P(RingCancelTest, ATimerResetBeforeWhileAndAfterFiringIsToldOnce) {
  Log log;
  RingTask timer;
  bool while_firing = false;
  log.then = [&](Ring& ring, uint16_t which, Completion&) {
    // Both have fired in this turn; the other's callback has not run yet.
    if (which == 1)
      while_firing = ring.ResetTimer(timer, absl::Milliseconds(3));
  };
  // Overdue, so that one turn fires them both.
  ring().Timer(-absl::Seconds(2), log.At(1));
  timer = ring().Timer(absl::Hours(1), log.At(0));
  EXPECT_TRUE(ring().ResetTimer(timer, -absl::Seconds(1))) << "before";
  RunUntilDone();
  EXPECT_TRUE(while_firing);
  EXPECT_EQ(log.Finals(0), Once(0));
  EXPECT_EQ(log.entries().back().which, 0);
  EXPECT_FALSE(ring().ResetTimer(timer, absl::ZeroDuration())) << "after";
  RunUntilDone();
  EXPECT_EQ(log.entries().size(), 2u);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(RingCancelTest);

}  // namespace
}  // namespace ringway
