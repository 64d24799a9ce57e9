// SPDX-License-Identifier: Apache-2.0
//
// UDP sockets of a server: their handlers' life and the phases of its end.

#include <array>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/shield.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/udp_socket.h"
#include "ringway/runtime/serving/server.h"
#include "ringway/runtime/serving/testing/server_fixture.h"

namespace ringway {
namespace {

using net::SocketAddress;
using net::UdpSocket;
using net::testing::Bytes;
using net::testing::ValueOf;
using testing::EchoUntilDrain;

constexpr absl::Duration kMoment = absl::Milliseconds(2);

using Buffer = std::array<std::byte, 64>;

// Answers `n` datagrams, each with "." after `pause`.
Task<absl::Status> Answer(UdpSocket& socket, absl::Duration pause, int n) {
  Buffer buffer;
  for (int i = 0; i < n; ++i) {
    absl::Status slept = co_await Sleep(pause);
    if (!slept.ok()) co_return slept;
    absl::StatusOr<net::Datagram> got = co_await socket.ReceiveFrom(buffer);
    if (!got.ok()) co_return got.status();
    absl::Status sent = co_await socket.SendTo(Bytes("."), got->sender);
    if (!sent.ok()) co_return sent;
  }
  co_return absl::OkStatus();
}

Task<absl::Status> AnswerAll(UdpSocket& socket) {
  Task<absl::Status> answer = Answer(socket, absl::ZeroDuration(), 1'000'000);
  co_return co_await std::move(answer);
}

// Waits for the drain, and for what comes after it.
Task<void> WaitForDrain(UdpSocket& socket) {
  Buffer buffer;
  absl::StatusOr<net::Datagram> got;
  do {
    got = co_await WithToken(DrainToken(), socket.ReceiveFrom(buffer));
  } while (got.ok());
  EXPECT_TRUE(absl::IsUnavailable(got.status())) << got.status();
}

class ServerUdpTest : public testing::ServerTest {
 protected:
  UdpSocket BindLocal() {
    return ValueOf(
        UdpSocket::Bind(loop(), ValueOf(SocketAddress::Parse("127.0.0.1:0"))));
  }

  // Has the server serve a socket on the address that this returns.
  SocketAddress Serve(DatagramHandler handler, bool drains = false) {
    UdpSocket socket = BindLocal();
    SocketAddress address = ValueOf(socket.LocalAddress());
    Server::UdpEndpoint endpoint;
    endpoint.handler = std::move(handler);
    endpoint.name = "names";
    endpoint.drains = drains;
    EXPECT_TRUE(server().ServeUdp(std::move(socket), std::move(endpoint)).ok());
    return address;
  }

  // True if `n` answers come.
  static Task<bool> Receives(UdpSocket& client, int n) {
    Buffer buffer;
    for (int i = 0; i < n; ++i) {
      absl::StatusOr<net::Datagram> got =
          co_await WithTimeout(absl::Seconds(20), client.ReceiveFrom(buffer));
      if (!got.ok()) co_return false;
    }
    co_return true;
  }
};

TEST_P(ServerUdpTest, ServesFromTheStartToTheEnd) {
  Make(EchoUntilDrain);
  const SocketAddress address = Serve(AnswerAll);
  auto main = [&]() -> Task<void> {
    UdpSocket client = BindLocal();
    EXPECT_TRUE((co_await client.SendTo(Bytes("early"), address)).ok());
    (co_await Sleep(kMoment)).IgnoreError();
    EXPECT_FALSE(client.HasPending()) << "it has not started";
    JoinHandle<void> run = Spawn(server().Run());
    EXPECT_TRUE(co_await Receives(client, 1));
    EXPECT_EQ(server().connections(), 0u);

    server().Shutdown();
    EXPECT_TRUE((co_await run).ok());
    EXPECT_EQ(server().phase(), ServerPhase::kEnded);
    EXPECT_EQ(server().counts().cut, 0u);
    EXPECT_EQ(server().counts().forced, 0u);
    EXPECT_EQ(server().counts().listeners_failed, 0u);
    EXPECT_TRUE(UdpSocket::Bind(address).ok()) << "its socket is closed";
  };
  Run(main());
}

TEST_P(ServerUdpTest, WhatHasArrivedIsAnsweredAfterAShutdown) {
  constexpr int kDatagrams = 5;
  Make(EchoUntilDrain);
  const SocketAddress address = Serve([](UdpSocket& socket) {
    return Answer(socket, absl::Milliseconds(5), 1'000'000);
  });
  auto main = [&]() -> Task<void> {
    UdpSocket client = BindLocal();
    for (int i = 0; i < kDatagrams; ++i)
      EXPECT_TRUE((co_await client.SendTo(Bytes("early"), address)).ok());
    // So long the simulated network takes at most.
    (co_await Sleep(absl::Milliseconds(5))).IgnoreError();
    JoinHandle<void> run = Spawn(server().Run());
    server().Start();
    server().Shutdown();
    EXPECT_TRUE((co_await run).ok());
    EXPECT_TRUE(co_await Receives(client, kDatagrams));
  };
  Run(main());
}

TEST_P(ServerUdpTest, AQueueThatIsNeverEmptyHoldsTheStopUpForASecond) {
  Make(EchoUntilDrain);
  const SocketAddress address = Serve([](UdpSocket&) -> Task<absl::Status> {
    co_return co_await Sleep(absl::InfiniteDuration());
  });
  auto main = [&]() -> Task<void> {
    UdpSocket client = BindLocal();
    EXPECT_TRUE((co_await client.SendTo(Bytes("x"), address)).ok());
    (co_await Sleep(absl::Milliseconds(5))).IgnoreError();
    JoinHandle<void> run = Spawn(server().Run());
    server().Start();
    const MonotonicTime began = loop().now();
    server().Shutdown();
    EXPECT_TRUE((co_await run).ok());
    EXPECT_GE(loop().now() - began, absl::Seconds(1));
    EXPECT_EQ(server().counts().cut, 0u);
  };
  Run(main());
}

TEST_P(ServerUdpTest, ADrainWaitsForThoseThatAskForIt) {
  Make(EchoUntilDrain);
  bool ended = false;
  Serve(
      [&](UdpSocket& socket) -> Task<absl::Status> {
        Task<void> wait = WaitForDrain(socket);
        co_await std::move(wait);
        absl::Status slept = co_await Sleep(absl::Milliseconds(5));
        ended = slept.ok();
        co_return absl::AbortedError("after the drain has begun");
      },
      /*drains=*/true);
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    (co_await Sleep(kMoment)).IgnoreError();
    server().Shutdown();
    EXPECT_TRUE((co_await run).ok());
    EXPECT_TRUE(ended);
    EXPECT_EQ(server().counts().cut, 0u);
    EXPECT_EQ(server().counts().listeners_failed, 0u);
  };
  Run(main());
}

TEST_P(ServerUdpTest, AnExceptionIsAFailureInTheDrainToo) {
  Make(EchoUntilDrain);
  Serve(
      [](UdpSocket& socket) -> Task<absl::Status> {
        Task<void> wait = WaitForDrain(socket);
        co_await std::move(wait);
        throw std::runtime_error("no licence");
        co_return absl::OkStatus();
      },
      /*drains=*/true);
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    (co_await Sleep(kMoment)).IgnoreError();
    server().Shutdown();
    EXPECT_TRUE((co_await run).ok());
    EXPECT_EQ(server().counts().listeners_failed, 1u);
  };
  Run(main());
}

// Those that a cancel does not end, either, are left to the executor.
TEST_P(ServerUdpTest, ThoseThatDoNotEndAreCancelledAndThenLeft) {
  ServerOptions options;
  options.drain_deadline = kMoment;
  options.cut_grace = kMoment;
  Make(EchoUntilDrain, options);
  Event release;
  const auto persist = [&](UdpSocket&) -> Task<absl::Status> {
    Shield shield;
    (co_await release.Wait()).IgnoreError();
    co_return absl::OkStatus();
  };
  Serve(AnswerAll, /*drains=*/true);
  Serve(persist, /*drains=*/true);
  Serve(persist);
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    (co_await Sleep(kMoment)).IgnoreError();
    server().Shutdown();
    EXPECT_TRUE((co_await run).ok());
    EXPECT_EQ(server().counts().cut, 2u);
    EXPECT_EQ(server().counts().forced, 1u);
    release.Set();
  };
  Run(main());
}

TEST_P(ServerUdpTest, IsNotCalledByAServerThatNeverStarts) {
  Make(EchoUntilDrain);
  bool called = false;
  Serve([&](UdpSocket&) -> Task<absl::Status> {
    called = true;
    co_return absl::OkStatus();
  });
  auto main = [&]() -> Task<void> {
    server().Shutdown();
    co_await server().Run();
    EXPECT_FALSE(called);
    EXPECT_EQ(server().phase(), ServerPhase::kEnded);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(ServerUdpTest);

}  // namespace
}  // namespace ringway
