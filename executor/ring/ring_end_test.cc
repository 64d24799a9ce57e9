// SPDX-License-Identifier: Apache-2.0
//
// The end of a ring with work outstanding.

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/executor/ring/ring.h"
#include "ringway/executor/ring/ring_fixture.h"

namespace ringway {
namespace {

using testing::BytesOf;
using testing::Log;
using testing::Once;
using testing::TestFd;
using testing::TestFdPair;

class RingEndTest : public testing::RingConformance {};

TEST_P(RingEndTest, TellsEveryCallbackOnceAndClosesNothing) {
  TestFd listener = system().TcpListener(/*backlog=*/8);
  TestFdPair pair = system().SocketPair();
  TestFd file = system().File("content");
  std::array<std::byte, 16> buffer, block;
  Log log;
  ring().Recv(pair.first.get(), buffer, log.At(0));
  ring().Timer(absl::Hours(1), log.At(1));
  ring().AcceptMultishot(listener.get(), log.At(2));
  ring().RecvMultishot(pair.second.get(), log.At(3));
  ring().Accept(listener.get(), log.At(4));
  RunWithoutWaiting();
  const RingTask dated = ring().Poll(pair.first.get(), POLLIN, log.At(5));
  ring().SetDeadline(dated, ring().Now() + absl::Hours(1));
  ring().Read(file.get(), block, log.At(6), /*offset=*/0);
  ring().Timer(-absl::Seconds(1), log.At(7));

  EndRing();

  for (uint16_t i = 0; i < 6; ++i) {
    EXPECT_EQ(log.Finals(i), Once(-ECANCELED)) << i;
  }
  ASSERT_EQ(log.Finals(6).size(), 1u);
  EXPECT_EQ(log.Finals(7), Once(-ECANCELED)) << "no turn has fired it";
  EXPECT_EQ(log.entries().size(), 8u);
  for (const TestFd* fd : {&listener, &pair.first, &pair.second, &file}) {
    EXPECT_TRUE(system().IsOpen(fd->get()));
  }
}

// Callbacks get the results that were there before the end.
TEST_P(RingEndTest, ResultsThatNobodyHasHeardOfAreTold) {
  TestFd listener = system().TcpListener(/*backlog=*/8);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  TestFdPair pair = system().SocketPair();
  SendAll(pair.second.get(), "told");
  Log log;
  std::vector<TestFd> accepted;
  log.then = [&](Ring&, uint16_t which, Completion& done) {
    if (which == 0 && !done.is_final) {
      accepted.push_back(system().Own(done.result));
    }
  };
  // Stops before their callbacks have run.
  Log first;
  first.then = [&](Ring& ring, uint16_t, Completion&) {
    ring.AcceptMultishot(listener.get(), log.At(0));
    ring.RecvMultishot(pair.first.get(), log.At(1));
    ring.Nop(log.At(2));
    ring.Stop();
  };
  ring().Nop(first.At(0));
  EXPECT_EQ(ring().Run(RunMode::kForever), absl::OkStatus());

  EndRing();

  EXPECT_EQ(log.Finals(0), Once(-ECANCELED));
  EXPECT_EQ(log.Finals(1), Once(-ECANCELED));
  ASSERT_EQ(log.Finals(2).size(), 1u);
  // Received or not, no byte is lost.
  std::string received = system().Receive(pair.first.get(), 100);
  for (const Log::Entry& entry : log.entries()) received += entry.bytes;
  EXPECT_EQ(received, "told");
}

TEST_P(RingEndTest, StartsNothingThatCallbacksAskForAndDoesNotRun) {
  Log log;
  std::vector<bool> started;
  absl::Status ran;
  log.then = [&](Ring& ring, uint16_t which, Completion&) {
    started.push_back(ring.Nop(log.At(which)).valid());
    started.push_back(ring.Timer(absl::ZeroDuration(), log.At(which)).valid());
    started.push_back(
        ring.Message(ring.address(), uint64_t{1}, log.At(which)).valid());
    ran = ring.Run(RunMode::kUntilDone);
  };
  ring().Timer(absl::Hours(1), log.At(0));

  EndRing();

  EXPECT_EQ(log.Finals(0), Once(-ECANCELED));
  EXPECT_EQ(started, std::vector<bool>(3, false));
  EXPECT_EQ(ran.code(), absl::StatusCode::kFailedPrecondition);
}

TEST_P(RingEndTest, WithThousandsInFlightEndsThemAllAndTheirMemoryIsFree) {
  constexpr uint16_t kEach = 2'000;
  TestFdPair pair = system().SocketPair();
  TestFd listener = system().TcpListener(/*backlog=*/8);
  Log log;
  auto buffers = std::make_unique<std::array<std::byte, kEach>>();
  buffers->fill(std::byte{0x5a});
  for (uint16_t i = 0; i < kEach; ++i) {
    ring().Recv(pair.first.get(), {buffers->data() + i, 1}, log.At(4 * i));
    ring().Accept(listener.get(), log.At(4 * i + 1));
    const RingTask timer = ring().Timer(absl::Hours(1), log.At(4 * i + 2));
    ring().SetDeadline(timer, ring().Now() + absl::Minutes(1));
    ring().Poll(pair.second.get(), POLLIN, log.At(4 * i + 3));
    if (i % 512 == 0) RunWithoutWaiting();
  }

  EndRing();

  std::vector<int> told(size_t{4} * kEach);
  for (const Log::Entry& entry : log.entries()) {
    EXPECT_EQ(entry.result, -ECANCELED);
    ++told[entry.which];
  }
  EXPECT_EQ(told, std::vector<int>(size_t{4} * kEach, 1));
  SendAll(pair.second.get(), "too late");
  for (std::byte byte : *buffers) ASSERT_EQ(byte, std::byte{0x5a});
  EXPECT_EQ(system().Receive(pair.first.get(), 100), "too late");
}

TEST_P(RingEndTest, FreesThePortOfAListenerAtOnce) {
  TestFd listener = system().TcpListener(/*backlog=*/8);
  const uint16_t port = ntohs(system().AddressOf(listener.get()).sin_port);
  for (int round = 0; round < 20; ++round) {
    MakeRing();
    Log log;
    ring().AcceptMultishot(listener.get(), log.At(0));
    ring().Accept(listener.get(), log.At(1));
    RunWithoutWaiting();
    EndRing();
    listener.Reset();
    listener = system().TcpListener(/*backlog=*/8, port);
    EXPECT_EQ(log.entries().size(), 2u);
  }
}

// Bytes moved out of a completion refer to a buffer of the backend. Kept
// beyond the ring, they used to be returned to a destroyed backend; no test
// kept them that long.
TEST_P(RingEndTest, TakesBackTheBytesThatACallbackHasKept) {
  TestFdPair pair = system().SocketPair();
  Log log;
  std::vector<ReceivedData> kept;
  log.then = [&](Ring&, uint16_t, Completion& done) {
    if (done.result > 0) kept.push_back(std::move(done.data));
  };
  ring().RecvMultishot(pair.first.get(), log.At(0));
  RunWithoutWaiting();
  SendAll(pair.second.get(), "kept");
  while (kept.empty()) ring().Run(RunMode::kOnce).IgnoreError();
  ReceivedData moved = std::move(kept.back());
  kept.clear();
  EXPECT_EQ(moved.bytes().size(), 4u);

  EndRing();

  EXPECT_DEATH(static_cast<void>(moved.bytes()),
               "a received buffer is used after the end of its loop");
  std::thread([kept = std::move(moved)] {}).join();  // dropped on any thread
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(RingEndTest);

// --- Misuse

class RingDeathTest : public RingEndTest {};

// The child makes its own ring; that of its parent is refused.

TEST_P(RingDeathTest, UseFromAForeignThreadAborts) {
  Log log;
  EXPECT_DEATH(
      {
        MakeRing();
        std::thread([&] { ring().Nop(log.At(0)); }).join();
      },
      "a ring was used from a foreign thread");
}

TEST_P(RingDeathTest, TheEndOfARingFromItsOwnCallbackAborts) {
  Log log;
  log.then = [&](Ring&, uint16_t, Completion&) { EndRing(); };
  EXPECT_DEATH(
      {
        MakeRing();
        ring().Nop(log.At(0));
        RunUntilDone();
      },
      "destroyed by one of its callbacks");
}

TEST_P(RingDeathTest, TheEndInAForkedChildTouchesNothingOfTheParents) {
  TestFdPair pair = system().SocketPair();
  std::array<std::byte, 16> buffer;
  Log log;
  const RingTask task = ring().Recv(pair.first.get(), buffer, log.At(0));
  ring().SetDeadline(task, ring().Now() + absl::Hours(1));
  ring().Timer(absl::Hours(1), log.At(1));
  RunWithoutWaiting();
  EXPECT_EXIT(
      {
        EndRing();
        _exit(log.entries().empty() ? 7 : 8);
      },
      ::testing::ExitedWithCode(7), "");
  SendAll(pair.second.get(), "x");
  while (log.Finals(0).empty()) {
    ASSERT_EQ(ring().Run(RunMode::kOnce), absl::OkStatus());
  }
  EXPECT_EQ(log.Finals(0), Once(1));
  EndRing();
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(RingDeathTest);

}  // namespace
}  // namespace ringway
