// SPDX-License-Identifier: Apache-2.0
//
// How a backend waits for completions and how others wake it: through signals,
// deadlines of any kind, its pollable fd, and notifications of other threads.

#include <poll.h>
#include <signal.h>
#include <sys/time.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"
#include "ringway/core/time/clock.h"

namespace ringway::testing {
namespace {

using WaitConformance = BackendConformance;

MonotonicTime Past() { return MonotonicTime::FromNanoseconds(0); }

// A poll of an empty pipe, in flight.
struct PendingPoll {
  PendingPoll(System& system, BackendDriver& d)
      : pipe(system.Pipe()), driver(d) {
    PreparePoll(op, pipe.first.get(), POLLIN);
    driver.Start(op);
    driver.TurnWithoutBlocking();
  }
  // Cancels it and expects its end.
  void End() {
    driver.Cancel(op);
    EXPECT_TRUE(driver.RunUntil([&] { return op.done(); }));
  }

  TestFdPair pipe;
  BackendDriver& driver;
  CountedOperation op;
};

// --- Signals

std::atomic<int> signals_seen{0};

// During its lifetime, sends a signal each millisecond that interrupts system
// calls.
class SignalStorm {
 public:
  SignalStorm() {
    struct sigaction action = {};
    action.sa_handler = [](int) {
      signals_seen.fetch_add(1, std::memory_order_relaxed);
    };
    sigaction(SIGALRM, &action, &previous_);
    SetPeriod(1'000);
  }
  ~SignalStorm() {
    SetPeriod(0);
    sigaction(SIGALRM, &previous_, nullptr);
  }

 private:
  static void SetPeriod(suseconds_t microseconds) {
    const itimerval period = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &period, nullptr);
  }

  struct sigaction previous_ = {};
};

TEST_P(WaitConformance, SignalsNeitherSurfaceAsErrorsNorLoseCompletions) {
  RINGWAY_REQUIRES_KERNEL("signals");
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  CountedOperation send, recv, poll;
  std::array<std::byte, 64> out = {}, in = {};
  SignalStorm storm;
  const int signals_before = signals_seen;

  int rounds = 0;
  for (; signals_seen - signals_before < 100; ++rounds) {
    out[0] = static_cast<std::byte>(rounds);
    send.completions = recv.completions = poll.completions = 0;
    PreparePoll(poll, sockets.second.get(), POLLIN);
    PrepareRecv(recv, sockets.second.get(), in);
    PrepareSend(send, sockets.first.get(), out);
    for (CountedOperation* op : {&poll, &recv, &send}) driver.Start(*op);
    ASSERT_TRUE(driver.RunUntil(
        [&] { return send.done() && recv.done() && poll.done(); }));
    ASSERT_EQ(send.result, 64);
    ASSERT_EQ(recv.result, 64);
    ASSERT_EQ(in[0], out[0]);
    ASSERT_GT(poll.result, 0);
  }

  EXPECT_EQ(driver->stats().completed, static_cast<uint64_t>(rounds) * 3);
}

TEST_P(WaitConformance, SignalEndsAWaitButNoOperation) {
  RINGWAY_REQUIRES_KERNEL("signals");
  BackendDriver driver(MakeForTest());
  TestFdPair pipe = system().Pipe();
  CountedOperation read;
  std::byte byte;
  PrepareRead(read, pipe.first.get(), {&byte, 1}, kCurrentPosition);
  driver.Start(read);
  SignalStorm storm;
  const int signals_before = signals_seen;

  while (signals_seen - signals_before < 50) driver.Turn();

  EXPECT_EQ(read.completions, 0);
  SendAll(pipe.second.get(), "x");
  EXPECT_TRUE(driver.RunUntil([&] { return read.done(); }));
  EXPECT_EQ(read.result, 1);
}

// --- Waiting and waking

// On a separate thread, because the kernel tears down a thread's closed rings
// later and interrupts that thread's waits for it.
TEST_P(WaitConformance, WaitDoesNotReturnEarlyFromAnIdleBackend) {
  std::thread([&] {
    BackendDriver driver(MakeForTest());
    driver.TurnWithoutBlocking();
    for (int i = 0; i < 20; ++i) {
      const MonotonicTime deadline =
          driver->clock().Now() + absl::Microseconds(700 + 13 * i);

      driver.Turn(deadline);

      EXPECT_GE(driver->clock().Now(), deadline) << "wait number " << i;
    }
  }).join();
}

TEST_P(WaitConformance, PastDeadlineNeverBlocks) {
  BackendDriver driver(MakeForTest());
  PendingPoll poll(system(), driver);

  for (MonotonicTime deadline :
       {Past(), driver->clock().Now(),
        MonotonicTime::FromNanoseconds(std::numeric_limits<int64_t>::min())}) {
    driver.Turn(deadline);
  }

  EXPECT_EQ(driver->stats().waits, 0u);
  EXPECT_FALSE(poll.op.done());
  poll.End();
}

TEST_P(WaitConformance, TheFarthestFiniteDeadlineBlocks) {
  BackendDriver driver(MakeForTest());
  driver.TurnWithoutBlocking();
  const uint64_t calls_before = driver->stats().system_calls;
  std::thread other([&] { driver->Notify(); });

  while (driver->stats().notifications == 0) {
    driver.Turn(MonotonicTime::FromNanoseconds(
        std::numeric_limits<int64_t>::max() - 1));
  }
  other.join();

  EXPECT_LE(driver->stats().system_calls - calls_before, 3u) << "it spun";
}

TEST_P(WaitConformance, IdleTurnsMakeNoSystemCallOrThatOfWaiting) {
  BackendDriver driver(MakeForTest());
  PendingPoll poll(system(), driver);
  const uint64_t calls_before = driver->stats().system_calls;

  driver.TurnWithoutBlocking(1'000);

  // io_uring's completions are visible in memory; other backends need a call.
  EXPECT_LE(driver->stats().system_calls - calls_before,
            IsUring() ? 0u : 1'000u);
  poll.End();
}

TEST_P(WaitConformance, CompletionsAreCollectedByTurnsThatNeverBlock) {
  // A loop that always has ready entries never blocks; its I/O must still
  // progress, even if the kernel does not signal pending work.
  BackendDriver driver(MakeForTest());
  PendingPoll poll(system(), driver);
  SendAll(poll.pipe.second.get(), "x");

  const MonotonicTime limit = driver->clock().Now() + absl::Seconds(10);
  while (!poll.op.done() && driver->clock().Now() < limit) driver.Turn(Past());

  ASSERT_TRUE(poll.op.done());
}

TEST_P(WaitConformance, PollableFdIsReadableWhileCompletionsWait) {
  RINGWAY_REQUIRES_KERNEL("poll");
  BackendOptions options = Options();
  options.pollable = true;
  BackendDriver driver(MakeForTest(options));
  PendingPoll pending(system(), driver);
  pollfd nested = {driver->PollableFd(), POLLIN, 0};
  EXPECT_EQ(poll(&nested, 1, /*timeout=*/0), 0) << "nothing has happened yet";

  SendAll(pending.pipe.second.get(), "x");

  EXPECT_EQ(poll(&nested, 1, /*timeout=*/10'000), 1);
  EXPECT_TRUE(driver.RunUntil([&] { return pending.op.done(); }));
}

// A kernel that holds back completions reports them when polled but may not
// wake a blocked poll: the sender waits until the poll is about to begin.
TEST_P(WaitConformance, PollableFdWakesWhoSleepsInAPollOfIt) {
  RINGWAY_REQUIRES_KERNEL("poll");
  constexpr int kRounds = 200;
  BackendOptions options = Options();
  options.pollable = true;
  BackendDriver driver(MakeForTest(options));
  TestFdPair pipe = system().Pipe();
  std::atomic<int> polling{0};
  std::thread other([&] {
    for (int i = 0; i < kRounds; ++i) {
      polling.wait(i);
      EXPECT_EQ(system().Send(pipe.second.get(), "x"), 1);
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    CountedOperation poll_op;
    PreparePoll(poll_op, pipe.first.get(), POLLIN);
    driver.Start(poll_op);
    driver.TurnWithoutBlocking(2);
    pollfd nested = {driver->PollableFd(), POLLIN, 0};
    ++polling;
    polling.notify_one();
    while (poll(&nested, 1, /*timeout=*/-1) < 0 && errno == EINTR) continue;
    EXPECT_TRUE(driver.RunUntil([&] { return poll_op.done(); }));
    EXPECT_EQ(system().Receive(pipe.first.get(), 1), "x");
  }
  other.join();
}

TEST_P(WaitConformance, NotificationsCoalesce) {
  BackendDriver driver(MakeForTest());
  driver.TurnWithoutBlocking();
  for (int i = 0; i < 1'000; ++i) driver->Notify();

  driver.TurnWithoutBlocking();

  // The first may be taken before the others are made.
  EXPECT_GE(driver->stats().notifications, 1u);
  EXPECT_LE(driver->stats().notifications, 2u);
}

TEST_P(WaitConformance, NotificationBeforeTheFirstWaitEndsIt) {
  BackendDriver driver(MakeForTest());
  driver->Notify();

  while (driver->stats().notifications == 0) driver.Turn();
}

TEST_P(WaitConformance, NotificationsOfAnotherThreadAreNeverLost) {
  constexpr int kRounds = 10'000;
  BackendDriver driver(MakeForTest());
  std::atomic<int> asked{0}, answered{0};
  std::thread other([&] {
    for (int i = 1; i <= kRounds; ++i) {
      asked.store(i);
      driver->Notify();
      answered.wait(i - 1);
    }
  });

  while (answered < kRounds) {
    driver.Turn();  // blocks forever if a notification is lost
    if (asked.load() == answered) continue;
    ++answered;
    answered.notify_one();
  }
  other.join();

  EXPECT_LE(driver->stats().notifications, uint64_t{kRounds});
}

TEST_P(WaitConformance, NotificationsOfFourThreadsAtOnceAreNeverLost) {
  constexpr int kThreads = 4, kRounds = 2'000;
  BackendDriver driver(MakeForTest());
  std::atomic<int> posted{0};
  std::vector<std::thread> others;
  for (int t = 0; t < kThreads; ++t) {
    others.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        posted.fetch_add(1);
        driver->Notify();
      }
    });
  }

  while (posted.load() < kThreads * kRounds) driver.Turn();

  for (std::thread& thread : others) thread.join();
}

TEST_P(WaitConformance, NotificationEndsAWaitThatNoSubmitPrecedes) {
  // The read that took the first notification must be re-armed for the
  // second.
  BackendDriver driver(MakeForTest());
  driver->Notify();
  while (driver->stats().notifications == 0) driver.Turn();
  driver->Notify();

  driver->Wait(MonotonicTime::Infinite(), driver.ready());

  while (driver->stats().notifications < 2) driver.Turn();
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(WaitConformance);

}  // namespace
}  // namespace ringway::testing
