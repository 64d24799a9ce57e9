// SPDX-License-Identifier: Apache-2.0
//
// What every backend owes its loop: submission, completion, waiting, waking and
// who may call it. Opcodes, cancellation and multishot operations have suites
// of their own beside this one.

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "backends/prepare.h"
#include "backends/testing/backend_fixture.h"
#include "backends/testing/views.h"
#include "core/clock.h"
#include "gtest/gtest.h"

namespace ringway::testing {
namespace {

MonotonicTime Past() { return MonotonicTime::FromNanoseconds(0); }

std::vector<CountedOperation> MakeNops(size_t n) {
  std::vector<CountedOperation> nops(n);
  for (CountedOperation& nop : nops) PrepareNop(nop);
  return nops;
}

void ExpectEachCompletedOnce(const std::vector<CountedOperation>& operations) {
  for (const CountedOperation& op : operations) {
    EXPECT_EQ(op.completions, 1) << "operation " << &op - operations.data();
  }
}

bool AllDone(const std::vector<CountedOperation>& operations) {
  return std::all_of(operations.begin(), operations.end(),
                     [](const CountedOperation& op) { return op.done(); });
}

TEST_P(BackendConformance, IsTheBackendThatWasAskedFor) {
  BackendDriver driver(MakeForTest());

  EXPECT_EQ(driver->name(), GetParam().name);
  std::cout << "[ BACKEND  ] " << driver->description() << "\n";
}

// --- Submission

TEST_P(BackendConformance, RingOfOneEntryTakesTenOperationsQueuedAtOnce) {
  BackendOptions options = Options();
  options.submission_entries = 1;
  options.completion_entries = 2;
  BackendDriver driver(MakeForTest(options));
  TestFdPair pipe = system().Pipe();
  std::vector<CountedOperation> operations(10);
  for (size_t i = 0; i < operations.size(); ++i) {
    if (i % 2 == 0) {
      PrepareNop(operations[i]);
    } else {
      PreparePoll(operations[i], pipe.first.get(), POLLIN);
    }
    driver.Start(operations[i]);
  }
  driver.StartEverything();
  ASSERT_EQ(driver->stats().submitted, 10u);
  SendAll(pipe.second.get(), "x");

  EXPECT_TRUE(driver.RunUntil([&] { return AllDone(operations); }));

  driver.TurnWithoutBlocking();
  ExpectEachCompletedOnce(operations);
}

TEST_P(BackendConformance, RingOfSixteenTakesTenThousandNops) {
  BackendOptions options = Options();
  options.submission_entries = 16;
  options.completion_entries = 16;
  BackendDriver driver(MakeForTest(options));
  std::vector<CountedOperation> nops = MakeNops(10'000);
  for (CountedOperation& nop : nops) driver.Start(nop);

  EXPECT_TRUE(driver.RunUntil([&] { return AllDone(nops); }));

  driver.TurnWithoutBlocking();
  ExpectEachCompletedOnce(nops);
  EXPECT_EQ(driver->stats().submitted, 10'000u);
  EXPECT_EQ(driver->stats().completed, 10'000u);
  EXPECT_EQ(driver->stats().in_flight, 0u);
}

TEST_P(BackendConformance, WhatDoesNotFitStaysPendingInOrder) {
  BackendOptions options = Options();
  options.submission_entries = 4;
  BackendDriver driver(MakeForTest(options));
  std::vector<CountedOperation> nops = MakeNops(10);
  for (CountedOperation& nop : nops) driver.Start(nop);

  driver->Submit(driver.pending(), driver.ready());

  Operation* op = driver.pending().front();
  if (IsUring()) {
    ASSERT_NE(op, nullptr) << "a ring of 4 entries took 10";
  }
  size_t expected = op == nullptr
                        ? nops.size()
                        : static_cast<size_t>(
                              static_cast<CountedOperation*>(op) - nops.data());
  EXPECT_GE(expected, 1u) << "nothing was taken";
  for (; op != nullptr; op = driver.pending().Next(*op), ++expected) {
    EXPECT_EQ(op, &nops[expected]);
    EXPECT_EQ(op->state, OpState::kQueued);
  }
  EXPECT_EQ(expected, nops.size());
  EXPECT_TRUE(driver.RunUntil([&] { return AllDone(nops); }));
}

TEST_P(BackendConformance, ManyMoreInFlightThanConfiguredAllComplete) {
  BackendOptions options = Options();
  options.submission_entries = 4;
  options.completion_entries = 8;
  BackendDriver driver(MakeForTest(options));
  TestFdPair sockets = system().SocketPair();
  std::vector<CountedOperation> receives(1'000);
  std::vector<std::byte> bytes(receives.size());
  for (size_t i = 0; i < receives.size(); ++i) {
    PrepareRecv(receives[i], sockets.first.get(), {&bytes[i], 1});
    driver.Start(receives[i]);
  }
  driver.StartEverything();
  ASSERT_EQ(driver->stats().in_flight, 1'000u);
  SendAll(sockets.second.get(), std::string(receives.size(), 'x'));

  EXPECT_TRUE(driver.RunUntil([&] { return AllDone(receives); }));

  for (const CountedOperation& op : receives) EXPECT_EQ(op.result, 1);
  for (std::byte byte : bytes) EXPECT_EQ(byte, std::byte{'x'});
}

TEST_P(BackendConformance, CompletionsFarBeyondTheQueueAreNeitherLostNorTwice) {
  BackendOptions options = Options();
  options.submission_entries = 64;
  options.completion_entries = 64;
  BackendDriver driver(MakeForTest(options));
  TestFdPair pipe = system().Pipe();
  std::vector<CountedOperation> polls(8'192);
  for (CountedOperation& op : polls) {
    PreparePoll(op, pipe.first.get(), POLLIN);
    driver.Start(op);
  }
  driver.StartEverything();
  ASSERT_EQ(driver->stats().in_flight, 8'192u);
  driver.TurnWithoutBlocking();
  ASSERT_EQ(driver->stats().completed, 0u);

  SendAll(pipe.second.get(), "x");  // completes all at once
  EXPECT_TRUE(driver.RunUntil([&] { return AllDone(polls); }));

  driver.TurnWithoutBlocking();
  ExpectEachCompletedOnce(polls);
  for (const CountedOperation& op : polls) EXPECT_EQ(op.result, POLLIN);
}

TEST_P(BackendConformance, OverflownCompletionsReachTurnsThatNeverBlock) {
  BackendOptions options = Options();
  options.submission_entries = 4;
  options.completion_entries = 4;
  BackendDriver driver(MakeForTest(options));
  TestFdPair pipe = system().Pipe();
  std::vector<CountedOperation> polls(100);
  for (CountedOperation& op : polls) {
    PreparePoll(op, pipe.first.get(), POLLIN);
    driver.Start(op);
  }
  driver.StartEverything();
  driver.TurnWithoutBlocking();
  SendAll(pipe.second.get(), "x");

  driver.TurnWithoutBlocking(200);

  ExpectEachCompletedOnce(polls);
}

TEST_P(BackendConformance, CachedReadsShareSystemCalls) {
  if (!IsUring()) GTEST_SKIP() << "only io_uring has batches";
  constexpr int kDepth = 32, kRounds = 500;
  BackendDriver driver(MakeForTest());
  TestFd file = system().File(std::string(kDepth * 512, 'f'));
  std::vector<CountedOperation> reads(kDepth);
  std::vector<std::array<std::byte, 512>> blocks(kDepth);
  const uint64_t calls_before = driver->stats().system_calls;

  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < reads.size(); ++i) {
      reads[i].completions = 0;
      PrepareRead(reads[i], file.get(), blocks[i],
                  static_cast<int64_t>(i * 512));
      driver.Start(reads[i]);
    }
    ASSERT_TRUE(driver.RunUntil([&] { return AllDone(reads); }));
    for (const CountedOperation& op : reads) ASSERT_EQ(op.result, 512);
  }

  EXPECT_LT(driver->stats().system_calls - calls_before,
            uint64_t{kDepth} * kRounds / 10);
}

struct ChainedNop : Operation {
  explicit ChainedNop(BackendDriver& d) : Operation(&OnDone), driver(d) {}

  static void OnDone(Runnable& entry) {
    auto& self = static_cast<ChainedNop&>(entry);
    const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
    self.lowest = std::min(self.lowest, here);
    self.highest = std::max(self.highest, here);
    if (--self.left == 0) return;
    PrepareNop(self);
    self.driver.Start(self);
  }

  BackendDriver& driver;
  int left = 100'000;
  uintptr_t lowest = UINTPTR_MAX;
  uintptr_t highest = 0;
};

TEST_P(BackendConformance, ChainOfCompletionsKeepsTheStackFlat) {
  BackendDriver driver(MakeForTest());
  ChainedNop nop(driver);
  PrepareNop(nop);
  driver.Start(nop);

  EXPECT_TRUE(driver.RunUntil([&] { return nop.left == 0; }));

  EXPECT_EQ(nop.highest - nop.lowest, 0u);
}

// --- Signals

std::atomic<int> signals_seen{0};

// A signal each millisecond that interrupts system calls, while it lives.
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

TEST_P(BackendConformance, SignalsNeitherSurfaceAsErrorsNorLoseCompletions) {
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

TEST_P(BackendConformance, SignalEndsAWaitButNoOperation) {
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

TEST_P(BackendConformance, WaitDoesNotReturnEarlyFromAnIdleBackend) {
  // A wait may be interrupted, and now and then is: the kernel takes the rings
  // of earlier tests apart later, on this thread. Waiting too short would show
  // every time.
  BackendDriver driver(MakeForTest());
  driver.TurnWithoutBlocking();
  int early = 0;
  for (int i = 0; i < 20; ++i) {
    const MonotonicTime deadline =
        driver->clock().Now() + absl::Microseconds(700 + 13 * i);

    driver.Turn(deadline);

    if (driver->clock().Now() < deadline) ++early;
  }
  EXPECT_LE(early, 5);
}

TEST_P(BackendConformance, PastDeadlineNeverBlocks) {
  BackendDriver driver(MakeForTest());
  TestFdPair pipe = system().Pipe();
  CountedOperation poll;
  PreparePoll(poll, pipe.first.get(), POLLIN);
  driver.Start(poll);
  driver.TurnWithoutBlocking();

  for (MonotonicTime deadline :
       {Past(), driver->clock().Now(),
        MonotonicTime::FromNanoseconds(std::numeric_limits<int64_t>::min())}) {
    driver.Turn(deadline);
  }

  EXPECT_EQ(driver->stats().waits, 0u);
  EXPECT_EQ(poll.completions, 0);
  driver.Cancel(poll);
  EXPECT_TRUE(driver.RunUntil([&] { return poll.done(); }));
}

TEST_P(BackendConformance, TheFarthestFiniteDeadlineBlocks) {
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

TEST_P(BackendConformance, IdleTurnsMakeNoSystemCallOrThatOfWaiting) {
  BackendDriver driver(MakeForTest());
  TestFdPair pipe = system().Pipe();
  CountedOperation poll;
  PreparePoll(poll, pipe.first.get(), POLLIN);
  driver.Start(poll);
  driver.TurnWithoutBlocking();
  const uint64_t calls_before = driver->stats().system_calls;

  driver.TurnWithoutBlocking(1'000);

  // io_uring shows in memory whether there is anything; others must ask.
  EXPECT_LE(driver->stats().system_calls - calls_before,
            IsUring() ? 0u : 1'000u);
  driver.Cancel(poll);
  EXPECT_TRUE(driver.RunUntil([&] { return poll.done(); }));
}

TEST_P(BackendConformance, CompletionsAreCollectedByTurnsThatNeverBlock) {
  // A loop that always has something ready never blocks; its I/O must go on
  // all the same, also where the kernel does not say that it has work waiting.
  BackendDriver driver(MakeForTest());
  TestFdPair pipe = system().Pipe();
  CountedOperation poll;
  PreparePoll(poll, pipe.first.get(), POLLIN);
  driver.Start(poll);
  driver.TurnWithoutBlocking();
  SendAll(pipe.second.get(), "x");

  const MonotonicTime limit = driver->clock().Now() + absl::Seconds(10);
  while (!poll.done() && driver->clock().Now() < limit) driver.Turn(Past());

  ASSERT_TRUE(poll.done());
}

TEST_P(BackendConformance, PollableFdIsReadableWhileCompletionsWait) {
  RINGWAY_REQUIRES_KERNEL("poll");
  BackendOptions options = Options();
  options.pollable = true;
  BackendDriver driver(MakeForTest(options));
  TestFdPair pipe = system().Pipe();
  CountedOperation poll_op;
  PreparePoll(poll_op, pipe.first.get(), POLLIN);
  driver.Start(poll_op);
  driver.TurnWithoutBlocking();
  pollfd nested = {driver->PollableFd(), POLLIN, 0};
  EXPECT_EQ(poll(&nested, 1, /*timeout=*/0), 0) << "nothing has happened yet";

  SendAll(pipe.second.get(), "x");

  EXPECT_EQ(poll(&nested, 1, /*timeout=*/10'000), 1);
  EXPECT_TRUE(driver.RunUntil([&] { return poll_op.done(); }));
}

// A kernel that holds completions back tells who asks, and may forget who
// sleeps: whoever sends waits until the poll is about to begin.
TEST_P(BackendConformance, PollableFdWakesWhoSleepsInAPollOfIt) {
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

TEST_P(BackendConformance, NotificationsCoalesce) {
  BackendDriver driver(MakeForTest());
  driver.TurnWithoutBlocking();
  for (int i = 0; i < 1'000; ++i) driver->Notify();

  driver.TurnWithoutBlocking();

  // The first may be taken before the others are made.
  EXPECT_GE(driver->stats().notifications, 1u);
  EXPECT_LE(driver->stats().notifications, 2u);
}

TEST_P(BackendConformance, NotificationBeforeTheFirstWaitEndsIt) {
  BackendDriver driver(MakeForTest());
  driver->Notify();

  while (driver->stats().notifications == 0) driver.Turn();
}

TEST_P(BackendConformance, NotificationsOfAnotherThreadAreNeverLost) {
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
    driver.Turn();  // blocks for ever if a notification is lost
    if (asked.load() == answered) continue;
    ++answered;
    answered.notify_one();
  }
  other.join();

  EXPECT_LE(driver->stats().notifications, uint64_t{kRounds});
}

TEST_P(BackendConformance, NotificationsOfFourThreadsAtOnceAreNeverLost) {
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

TEST_P(BackendConformance, NotificationEndsAWaitThatNoSubmitPrecedes) {
  // What took the first notification has to be armed again for the second.
  BackendDriver driver(MakeForTest());
  driver->Notify();
  while (driver->stats().notifications == 0) driver.Turn();
  driver->Notify();

  driver->Wait(MonotonicTime::Infinite(), driver.ready());

  while (driver->stats().notifications < 2) driver.Turn();
}

// --- Ownership

using BackendConformanceDeathTest = BackendConformance;

TEST_P(BackendConformanceDeathTest, UseFromAForeignThreadAborts) {
  EXPECT_DEATH(
      {
        BackendDriver driver(MakeForTest());
        std::thread([&] { driver.Turn(); }).join();
      },
      "foreign thread");
}

TEST_P(BackendConformanceDeathTest, UseInAForkedChildAbortsAndTheParentGoesOn) {
  RINGWAY_REQUIRES_KERNEL("processes");
  BackendDriver driver(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  CountedOperation recv, nop;
  std::byte byte;
  PrepareRecv(recv, sockets.first.get(), {&byte, 1});
  driver.Start(recv);
  driver.TurnWithoutBlocking();
  PrepareNop(nop);
  driver.Start(nop);  // queued: a careless child would submit it

  EXPECT_DEATH(driver.Turn(Past()), "belongs to the parent process");

  SendAll(sockets.second.get(), "x");
  EXPECT_TRUE(driver.RunUntil([&] { return recv.done() && nop.done(); }));
  EXPECT_EQ(recv.result, 1);
  EXPECT_EQ(recv.completions, 1);
  EXPECT_EQ(nop.completions, 1);
}

TEST_P(BackendConformanceDeathTest, DestroyingItInAForkedChildTouchesNothing) {
  RINGWAY_REQUIRES_KERNEL("processes");
  auto driver = std::make_unique<BackendDriver>(MakeForTest());
  TestFdPair sockets = system().SocketPair();
  CountedOperation recv, queued;
  CountedMultishot multishot;
  std::byte byte, other_byte;
  PrepareRecv(recv, sockets.first.get(), {&byte, 1});
  driver->Start(recv);
  PrepareRecvMultishot(multishot, sockets.second.get());
  driver->Start(multishot);
  driver->TurnWithoutBlocking();

  EXPECT_EXIT(
      {
        // New mappings take the addresses that the parent's ring has there.
        std::vector<char*> maps(256);
        for (char*& map : maps) {
          map = static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        }
        driver.reset();
        for (char* map : maps) *map = 1;
        _exit(7);
      },
      ::testing::ExitedWithCode(7), "");

  SendAll(sockets.second.get(), "x");
  EXPECT_TRUE(driver->RunUntil([&] { return recv.done(); }));
  EXPECT_EQ(recv.result, 1);
  EXPECT_FALSE(multishot.ended());
  PrepareRecv(queued, sockets.first.get(), {&other_byte, 1});
  driver->Start(queued);
  driver->DestroyBackend();
}

TEST_P(BackendConformanceDeathTest, ForkedChildCanMakeItsOwn) {
  RINGWAY_REQUIRES_KERNEL("processes");
  BackendDriver driver(MakeForTest());
  driver.TurnWithoutBlocking();

  EXPECT_EXIT(
      {
        BackendDriver own(MakeForTest());
        CountedOperation nop;
        PrepareNop(nop);
        _exit(own.RunToEnd(nop) == 0 ? 7 : 1);
      },
      ::testing::ExitedWithCode(7), "");
}

TEST_P(BackendConformanceDeathTest, DestroyingAnActiveOperationAbortsNamingIt) {
  EXPECT_DEATH(
      {
        BackendDriver driver(MakeForTest());
        TestFdPair sockets = system().SocketPair();
        std::byte byte;
        auto recv = std::make_unique<CountedOperation>();
        PrepareRecv(*recv, sockets.first.get(), {&byte, 1});
        driver.Start(*recv);
        driver.TurnWithoutBlocking();
        recv.reset();
      },
      "a recv operation on fd [0-9]+ was destroyed before it completed");
}

TEST_P(BackendConformanceDeathTest, PreparingAnActiveOperationAborts) {
  EXPECT_DEATH(
      {
        BackendDriver driver(MakeForTest());
        CountedOperation nop;
        PrepareNop(nop);
        driver.Start(nop);
        PrepareNop(nop);
      },
      "prepared again while active");
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(BackendConformance);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(BackendConformanceDeathTest);

}  // namespace
}  // namespace ringway::testing
