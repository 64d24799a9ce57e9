// SPDX-License-Identifier: Apache-2.0
//
// The basic contract of every backend: each submitted operation completes
// once, however small the queues are. Waiting, ownership, teardown, opcodes,
// cancellation and multishot operations have separate suites.

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/backend_fixture.h"

namespace ringway::testing {
namespace {

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

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(BackendConformance);

}  // namespace
}  // namespace ringway::testing
