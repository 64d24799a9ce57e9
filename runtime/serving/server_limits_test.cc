// SPDX-License-Identifier: Apache-2.0
//
// What a server admits, and what it logs.

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/net/stream_pair.h"
#include "ringway/net/testing/few_fds.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/runtime/serving/server.h"
#include "ringway/runtime/serving/testing/server_fixture.h"

namespace ringway {
namespace {

using net::TcpStream;
using net::testing::Bytes;
using net::testing::ReadExactly;
using net::testing::ReadToEnd;
using net::testing::ValueOf;
using testing::EchoUntilDrain;

constexpr absl::Duration kMoment = absl::Milliseconds(2);

using ServerLimitsTest = testing::ServerTest;

TEST_P(ServerLimitsTest, PausedItServesNobodyNew) {
  Make(EchoUntilDrain);
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    TcpStream before = co_await Join();
    EXPECT_EQ(co_await Ask(before, "one"), "one");
    server().PauseAccepting();
    TcpStream meanwhile = co_await Join();
    EXPECT_TRUE((co_await meanwhile.Write(Bytes("two"))).ok());
    EXPECT_EQ(co_await Ask(before, "one"), "one");
    (co_await Sleep(absl::Milliseconds(30))).IgnoreError();
    EXPECT_EQ(server().connections(), 1u);
    EXPECT_EQ(server().counts().accept_pauses, 1u);
    server().ResumeAccepting();
    EXPECT_EQ(co_await ReadExactly(meanwhile, 3), "two");
    server().Shutdown();
    before = TcpStream();
    meanwhile = TcpStream();
    EXPECT_TRUE((co_await run).ok());
  };
  Run(main());
}

TEST_P(ServerLimitsTest, AFullServerThatWaitsServesOneAfterTheOther) {
  ServerOptions options;
  options.max_connections = 1;
  options.when_full = WhenFull::kWait;
  Make(EchoUntilDrain, options);
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    std::vector<TcpStream> clients;
    for (int i = 0; i < 4; ++i) {
      clients.push_back(co_await Join());
      EXPECT_TRUE((co_await clients.back().Write(Bytes("mine"))).ok());
    }
    for (TcpStream& client : clients) {
      EXPECT_EQ(co_await ReadExactly(client, 4), "mine");
      EXPECT_EQ(server().connections(), 1u);
      client = TcpStream();
    }
    co_await UntilOpen(0);
    EXPECT_EQ(server().counts().accepted, 4u);
    EXPECT_EQ(server().counts().refused, 0u);
    EXPECT_GE(server().counts().accept_pauses, 3u);
    server().Shutdown();
    EXPECT_TRUE((co_await run).ok());
  };
  Run(main());
}

TEST_P(ServerLimitsTest, WithoutMemoryNobodyNewIsServed) {
  ServerOptions options;
  options.memory_high_water = 1;  // it has more in use
  Make(EchoUntilDrain, options);
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    TcpStream client = co_await Join();
    EXPECT_TRUE((co_await client.Write(Bytes("late"))).ok());
    (co_await Sleep(absl::Milliseconds(40))).IgnoreError();
    EXPECT_EQ(server().connections(), 0u);
    EXPECT_EQ(server().counts().accept_pauses, 1u);
    server().Shutdown();  // who has connected is still served
    EXPECT_EQ(ValueOf(co_await ReadToEnd(client)), "late");
    client = TcpStream();
    EXPECT_TRUE((co_await run).ok());
  };
  Run(main());
}

class OutOfFdsTest : public ServerLimitsTest {
 protected:
  // Connects though there are no fds: it is not accepted yet.
  Task<TcpStream> Join(net::testing::OutOfFds* shortage) {
    if (shortage != nullptr) shortage->FreeOne();
    return ServerTest::Join();
  }

 private:
  net::testing::FewFds few_fds_;
};

TEST_P(OutOfFdsTest, ClientsAreRefused) {
  Make(EchoUntilDrain);
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    TcpStream before = co_await Join(nullptr);
    EXPECT_EQ(co_await Ask(before, "one"), "one");
    {
      net::testing::OutOfFds shortage(system().sockets());
      std::vector<TcpStream> clients;  // keep their fds
      for (uint64_t i = 1; i <= 50; ++i) {
        clients.push_back(co_await Join(&shortage));
        std::array<std::byte, 8> buffer;
        EXPECT_EQ((co_await clients.back().Read(buffer)).value_or(0), 0u);
        EXPECT_EQ(server().counts().refused, i);
      }
      EXPECT_EQ(co_await Ask(before, "two"), "two");
    }
    TcpStream after = co_await Join(nullptr);
    EXPECT_EQ(co_await Ask(after, "three"), "three");
    EXPECT_EQ(server().counts().accepted, 2u);
    server().Shutdown();
    before = TcpStream();
    after = TcpStream();
    EXPECT_TRUE((co_await run).ok());
  };
  Run(main());
}

TEST_P(OutOfFdsTest, OrWaitIfTheServerWaits) {
  ServerOptions options;
  options.when_out_of_fds = WhenFull::kWait;
  Make(EchoUntilDrain, options);
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    TcpStream before = co_await Join(nullptr);
    EXPECT_EQ(co_await Ask(before, "one"), "one");
    TcpStream client;
    {
      net::testing::OutOfFds shortage(system().sockets());
      client = co_await Join(&shortage);
      EXPECT_TRUE((co_await client.Write(Bytes("two"))).ok());
      (co_await Sleep(absl::Milliseconds(30))).IgnoreError();
      EXPECT_EQ(server().connections(), 1u);
    }
    EXPECT_EQ(co_await ReadExactly(client, 3), "two");
    EXPECT_EQ(server().counts().refused, 0u);
    server().Shutdown();
    before = TcpStream();
    client = TcpStream();
    EXPECT_TRUE((co_await run).ok());
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(OutOfFdsTest);

struct Log {
  std::vector<ConnectionEnd> ends;
  std::vector<std::string> listeners;
};

TEST_P(ServerLimitsTest, OfEachConnectionTheLogHasPeerBytesTimeAndStatus) {
  Log log;
  ServerOptions options;
  options.on_connection_end = [&](const ConnectionEnd& end) {
    log.listeners.emplace_back(end.listener);
    log.ends.push_back(end);
  };
  Make(
      [](TcpStream stream) -> Task<absl::Status> {
        std::array<std::byte, 3> buffer;
        const size_t n = ValueOf(co_await stream.Read(buffer));
        if (n == 1) throw std::runtime_error("one byte");
        (co_await Sleep(absl::Milliseconds(5))).IgnoreError();
        absl::Status sent = co_await stream.Write(Bytes("four"));
        if (!sent.ok()) co_return sent;
        co_return absl::DataLossError("odd");
      },
      options);
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    TcpStream client = co_await Join();
    const std::string name = ValueOf(client.LocalAddress()).ToString();
    EXPECT_TRUE((co_await client.Write(Bytes("abc"))).ok());
    EXPECT_EQ(ValueOf(co_await ReadToEnd(client)), "four");
    TcpStream thrower = co_await Join();
    EXPECT_TRUE((co_await thrower.Write(Bytes("x"))).ok());
    EXPECT_EQ(ValueOf(co_await ReadToEnd(thrower)), "");
    server().Shutdown();
    EXPECT_TRUE((co_await run).ok());

    EXPECT_EQ(log.ends.size(), 2u);
    EXPECT_EQ(log.ends[0].peer, name);
    EXPECT_EQ(log.ends[0].bytes_received, 3u);
    EXPECT_EQ(log.ends[0].bytes_sent, 4u);
    EXPECT_GE(log.ends[0].duration, absl::Milliseconds(5));
    EXPECT_EQ(log.ends[0].status, absl::DataLossError("odd"));
    EXPECT_EQ(log.listeners[0].substr(0, 10), "127.0.0.1:");
    EXPECT_EQ(log.ends[1].bytes_received, 1u);
    EXPECT_EQ(log.ends[1].status,
              absl::InternalError("an exception: one byte"));
    EXPECT_EQ(server().counts().ended_throw, 1u);
    EXPECT_EQ(server().counts().ended_error, 1u);
  };
  Run(main());
}

TEST_P(ServerLimitsTest, AdmitsWhatWasAcceptedElsewhere) {
  Make(EchoUntilDrain);
  const Server::Endpoint endpoint{EchoUntilDrain, "elsewhere"};
  auto main = [&]() -> Task<void> {
    JoinHandle<void> run = Spawn(server().Run());
    server().ExpectAdmits();
    auto pair = ValueOf(net::StreamPair());
    server().Admit(endpoint, ValueOf(pair.first.Release()));
    EXPECT_EQ(co_await Ask(pair.second, "hi"), "hi");
    server().Shutdown();
    (co_await Sleep(kMoment)).IgnoreError();
    EXPECT_EQ(server().phase(), ServerPhase::kStopping);
    auto late = ValueOf(net::StreamPair());
    server().Admit(endpoint, ValueOf(late.first.Release()));
    EXPECT_EQ(co_await Ask(late.second, "late"), "late");
    server().NoMoreAdmits();
    pair.second = TcpStream();
    late.second = TcpStream();
    EXPECT_TRUE((co_await run).ok());
    EXPECT_EQ(server().counts().accepted, 2u);

    auto too_late = ValueOf(net::StreamPair());
    server().Admit(endpoint, ValueOf(too_late.first.Release()));
    EXPECT_EQ(ValueOf(co_await ReadToEnd(too_late.second)), "");
    EXPECT_EQ(server().counts().refused, 1u);
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(ServerLimitsTest);

}  // namespace
}  // namespace ringway
