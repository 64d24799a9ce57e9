// SPDX-License-Identifier: Apache-2.0
//
// Receives that have delivered often, which a backend may keep armed from one
// delivery to the next: they miss no end, no reset and no byte, and end once.
//
// A multishot receive of Linux 6.18 that stays armed misses the end of the
// stream in one of 100 connections that send many small messages and then close
// at once, and then waits for ever: the peer must run at the same time.

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/conformance/multishot_fixture.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/test_scale.h"

namespace ringway::testing {
namespace {

using StayingReceiveConformance = MultishotConformance;

// More deliveries than any backend needs to let a receive stay armed.
constexpr size_t kMany = 16;

// Starts a receive and has it deliver `kMany` times.
void MakeItStay(BackendDriver& driver, System& system, Receiver& receiver) {
  PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
  driver.Start(receiver.op);
  for (size_t i = 1; i <= kMany; ++i) {
    ASSERT_EQ(system.Send(receiver.sockets.second.get(), "x"), 1);
    ASSERT_TRUE(driver.RunUntil([&] {
      receiver.Take(driver);
      return receiver.received.size() == i;
    }));
  }
}

// A connection whose peer can reset it.
TestFdPair TcpPair(System& system) {
  TestFd listener = system.TcpListener(1);
  TestFdPair pair;
  pair.second = system.ConnectTo(system.AddressOf(listener.get()));
  pair.first = system.Accept(listener.get());
  return pair;
}

TEST_P(StayingReceiveConformance, EndsOnceWithTheStream) {
  Receiver receiver(system());
  BackendDriver driver(MakeForTest());
  MakeItStay(driver, system(), receiver);
  SendAll(receiver.sockets.second.get(), "last words");
  receiver.sockets.second.Reset();
  EXPECT_TRUE(driver.RunUntil([&] {
    receiver.Take(driver);
    return receiver.op.ended();
  }));
  driver.TurnWithoutBlocking();
  EXPECT_EQ(receiver.op.result, 0);
  EXPECT_EQ(receiver.received, std::string(kMany, 'x') + "last words");
  EXPECT_EQ(driver->stats().in_flight, 0u);
}

TEST_P(StayingReceiveConformance, EndsOnceWithAReset) {
  Receiver receiver(system());
  receiver.sockets = TcpPair(system());
  BackendDriver driver(MakeForTest());
  MakeItStay(driver, system(), receiver);
  system().ResetPeer(std::move(receiver.sockets.second));
  EXPECT_TRUE(driver.RunUntil([&] { return receiver.op.ended(); }));
  driver.TurnWithoutBlocking();
  EXPECT_EQ(receiver.op.result, -ECONNRESET);
  EXPECT_EQ(driver->stats().in_flight, 0u);
}

TEST_P(StayingReceiveConformance, CancelEndsItOnceAndLosesNothing) {
  Receiver receiver(system());
  BackendDriver driver(MakeForTest());
  MakeItStay(driver, system(), receiver);
  SendAll(receiver.sockets.second.get(), "racing");
  EXPECT_EQ(driver.Cancel(receiver.op), CancelOutcome::kRequested);
  EXPECT_TRUE(driver.RunUntil([&] { return receiver.op.ended(); }));
  driver.TurnWithoutBlocking();
  EXPECT_EQ(receiver.op.result, -ECANCELED);
  EXPECT_EQ(driver->stats().in_flight, 0u);
  receiver.Take(driver);
  std::string left = system().Receive(receiver.sockets.first.get(), 64);
  EXPECT_EQ(receiver.received + left, std::string(kMany, 'x') + "racing");
}

TEST_P(StayingReceiveConformance, CancelRacingTheEndEndsItOnce) {
  for (int turns = 0; turns < 4; ++turns) {
    for (const bool cancel_first : {false, true}) {
      Receiver receiver(system());
      BackendDriver driver(MakeForTest());
      MakeItStay(driver, system(), receiver);
      if (cancel_first) driver.Cancel(receiver.op);
      receiver.sockets.second.Reset();
      driver.TurnWithoutBlocking(turns);
      if (!cancel_first) driver.Cancel(receiver.op);
      EXPECT_TRUE(driver.RunUntil([&] { return receiver.op.ended(); }));
      driver.TurnWithoutBlocking();
      EXPECT_TRUE(receiver.op.result == 0 || receiver.op.result == -ECANCELED)
          << receiver.op.result;
      EXPECT_EQ(driver->stats().in_flight, 0u);
      // The fd is free for the next connection.
      EXPECT_EQ(driver->CancelFd(receiver.sockets.first.get(), driver.ready()),
                0u);
    }
  }
}

TEST_P(StayingReceiveConformance, OfAShutSocketEndsOnce) {
  Receiver receiver(system());
  BackendDriver driver(MakeForTest());
  MakeItStay(driver, system(), receiver);
  CountedOperation shutdown;
  PrepareShutdown(shutdown, receiver.sockets.first.get(), SHUT_RDWR);
  EXPECT_EQ(driver.RunToEnd(shutdown), 0);
  EXPECT_TRUE(driver.RunUntil([&] { return receiver.op.ended(); }));
  EXPECT_EQ(receiver.op.result, 0);
}

TEST_P(StayingReceiveConformance, DeliversInOrderAcrossPauses) {
  Receiver receiver(system());
  BackendDriver driver(MakeForTest());
  MakeItStay(driver, system(), receiver);
  const std::string sent = Pattern(100'000);
  for (size_t begin = 0; begin < sent.size(); begin += 1'000) {
    SendAll(receiver.sockets.second.get(), sent.substr(begin, 1'000));
    ASSERT_TRUE(driver.RunUntil([&] {
      receiver.Take(driver);
      return receiver.received.size() == kMany + begin + 1'000;
    }));
    driver.TurnWithoutBlocking(2);
  }
  EXPECT_EQ(receiver.received.substr(kMany), sent);
  EXPECT_FALSE(receiver.op.ended());
}

// A large message makes a backend arm it for each delivery again.
TEST_P(StayingReceiveConformance, DeliversLargeMessagesAmongSmallOnes) {
  Receiver receiver(system());
  BackendDriver driver(MakeForTest());
  MakeItStay(driver, system(), receiver);
  std::string expected(kMany, 'x');
  for (const size_t n_bytes : {10, 20'000, 30, 50'000, 1, 4'096, 4'097, 2}) {
    const std::string message = Pattern(n_bytes);
    SendAll(receiver.sockets.second.get(), message);
    // The next message finds the receive in whatever state it is by then.
    driver.TurnWithoutBlocking(1);
    receiver.Take(driver);
    expected += message;
  }
  ASSERT_TRUE(driver.RunUntil([&] {
    receiver.Take(driver);
    return receiver.received.size() == expected.size();
  }));
  EXPECT_EQ(receiver.received, expected);
  receiver.sockets.second.Reset();
  EXPECT_TRUE(driver.RunUntil([&] { return receiver.op.ended(); }));
  EXPECT_EQ(receiver.op.result, 0);
  driver.TurnWithoutBlocking();
  EXPECT_EQ(driver->stats().in_flight, 0u);
}

TEST_P(StayingReceiveConformance,
       CancelOrEndRightBehindALargeMessageEndsItOnce) {
  for (int turns = 0; turns < 4; ++turns) {
    for (const bool cancels : {false, true}) {
      Receiver receiver(system());
      BackendDriver driver(MakeForTest());
      MakeItStay(driver, system(), receiver);
      const std::string message = Pattern(20'000);
      SendAll(receiver.sockets.second.get(), message);
      driver.TurnWithoutBlocking(turns);
      if (cancels) {
        driver.Cancel(receiver.op);
      } else {
        receiver.sockets.second.Reset();
      }
      EXPECT_TRUE(driver.RunUntil([&] {
        receiver.Take(driver);
        return receiver.op.ended();
      }));
      driver.TurnWithoutBlocking();
      receiver.Take(driver);
      EXPECT_EQ(receiver.op.result, cancels ? -ECANCELED : 0);
      EXPECT_EQ(driver->stats().in_flight, 0u);
      const std::string left =
          system().Receive(receiver.sockets.first.get(), message.size());
      EXPECT_EQ(receiver.received + left, std::string(kMany, 'x') + message);
    }
  }
}

TEST_P(StayingReceiveConformance, EndsWithItsBackend) {
  std::vector<std::unique_ptr<Receiver>> receivers;
  BackendDriver driver(MakeForTest());
  for (int i = 0; i < 20; ++i) {
    receivers.push_back(std::make_unique<Receiver>(system()));
    MakeItStay(driver, system(), *receivers.back());
    if (i % 3 == 0) receivers.back()->sockets.second.Reset();
    if (i % 3 == 1) SendAll(receivers.back()->sockets.second.get(), "untaken");
  }
  driver->Quiesce(driver.ready());
  for (const std::unique_ptr<Receiver>& receiver : receivers) {
    EXPECT_EQ(receiver->op.state, OpState::kDone);
    driver->DropDeliveries(receiver->op);
  }
  driver.DestroyBackend();
}

TEST_P(StayingReceiveConformance, WorksWithOneEntry) {
  BackendOptions options = Options();
  options.submission_entries = 1;
  Receiver receiver(system());
  BackendDriver driver(MakeForTest(options));
  MakeItStay(driver, system(), receiver);
  receiver.sockets.second.Reset();
  EXPECT_TRUE(driver.RunUntil([&] { return receiver.op.ended(); }));
  EXPECT_EQ(receiver.op.result, 0);
}

enum class Leave { kCloses, kShutsDown, kResets };

// Sends `n` small messages, then leaves. Returns how many bytes.
size_t SendAndLeave(System& system, TestFd& fd, size_t n, Leave leave) {
  size_t n_sent = 0;
  for (size_t i = 0; i < n; ++i) {
    const std::string message(1 + i * 7 % 64, 'x');
    int64_t sent = -EAGAIN;
    while (sent == -EAGAIN) sent = system.Send(fd.get(), message);
    EXPECT_GT(sent, 0);
    n_sent += static_cast<size_t>(std::max<int64_t>(sent, 0));
  }
  if (leave == Leave::kCloses) fd.Reset();
  if (leave == Leave::kShutsDown) system.ShutdownWrite(fd.get());
  if (leave == Leave::kResets) system.ResetPeer(std::move(fd));
  return n_sent;
}

// Over a Unix socket, or TCP for a reset.
TEST_P(StayingReceiveConformance, MissesNoEndOfAPeerThatSendsMeanwhile) {
  RINGWAY_REQUIRES_KERNEL("threads");
  std::minstd_rand random(1);
  BackendDriver driver(MakeForTest());
  for (uint64_t round = 0; round < Scaled(1'000); ++round) {
    const Leave leave = static_cast<Leave>(round % 3);
    Receiver receiver(system());
    if (leave == Leave::kResets) receiver.sockets = TcpPair(system());
    PrepareRecvMultishot(receiver.op, receiver.sockets.first.get());
    driver.Start(receiver.op);
    driver.TurnWithoutBlocking(1);
    size_t n_sent = 0;
    std::thread peer([&, n = 1 + random() % 400] {
      n_sent = SendAndLeave(system(), receiver.sockets.second, n, leave);
    });
    const bool ended = driver.RunUntil([&] {
      receiver.Take(driver);
      return receiver.op.ended();
    });
    peer.join();
    ASSERT_TRUE(ended) << "round " << round;
    receiver.Take(driver);
    if (leave == Leave::kResets) {
      EXPECT_EQ(receiver.op.result, -ECONNRESET);
    } else {
      EXPECT_EQ(receiver.op.result, 0);
      EXPECT_EQ(receiver.received.size(), n_sent);
    }
  }
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(StayingReceiveConformance);

}  // namespace
}  // namespace ringway::testing
