// SPDX-License-Identifier: Apache-2.0
//
// Streams over every kind of address.

#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::NetTest;
using testing::Pattern;
using testing::ReadExactly;
using testing::ReadToEnd;
using testing::ValueOf;
using testing::WriteAll;

constexpr size_t kMiB = 1 << 20;

Task<absl::Status> EchoOne(TcpListener& listener) {
  absl::StatusOr<TcpStream> stream = co_await listener.Accept();
  if (!stream.ok()) co_return stream.status();
  Task<absl::Status> echo = testing::Echo(*std::move(stream));
  co_return co_await std::move(echo);
}

// Instantiated once for each kind of address: IPv4/StreamOver...
class StreamOver : public NetTest {
 protected:
  void SetUp() override {
    NetTest::SetUp();
    if (IsSkipped() || Instantiation() != "IPv6") return;
    RINGWAY_REQUIRES_KERNEL("IPv6");
  }

  TcpListener Listen() {
    const std::string kind = Instantiation();
    if (kind == "IPv4") return ListenOn("127.0.0.1:0");
    if (kind == "IPv6") return ListenOn("[::1]:0");
    if (kind == "Unix") return ListenOn(UnixAddress("s"));
    RINGWAY_CHECK(kind == "Abstract", "no kind of address: %s", kind.c_str());
    return ListenOn(absl::StrCat("unix:@ringway-stream-", getpid()));
  }

  // Sends `bytes` through an echo and compares the reply.
  Task<void> ExpectEcho(SocketAddress address, size_t n_bytes, uint32_t seed) {
    const std::vector<std::byte> bytes = Pattern(n_bytes, seed);
    TcpStream stream = ValueOf(co_await Connect(address));
    JoinHandle<absl::Status> writing = Spawn(WriteAll(stream, bytes));
    const std::string back = co_await ReadExactly(stream, n_bytes);
    EXPECT_TRUE(back == AsString(bytes)) << n_bytes << " bytes";
    absl::Status written = co_await writing;
    EXPECT_TRUE(written.ok()) << written;
  }

  Task<void> EchoConnections(size_t n_connections, size_t n_bytes) {
    TcpListener listener = Listen();
    const SocketAddress address = ValueOf(listener.LocalAddress());
    std::vector<JoinHandle<absl::Status>> servers;
    std::vector<JoinHandle<void>> clients;
    for (uint32_t i = 0; i < n_connections; ++i) {
      servers.push_back(Spawn(EchoOne(listener)));
      clients.push_back(Spawn(ExpectEcho(address, n_bytes, i)));
    }
    for (JoinHandle<void>& client : clients) {
      absl::Status ended = co_await client;
      EXPECT_TRUE(ended.ok()) << ended;
    }
    for (JoinHandle<absl::Status>& server : servers) {
      absl::Status ended = co_await server;
      EXPECT_TRUE(ended.ok()) << ended;
    }
  }
};

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND_AS(IPv4, StreamOver);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND_AS(IPv6, StreamOver);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND_AS(Unix, StreamOver);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND_AS(Abstract, StreamOver);

TEST_P(StreamOver, EchoesASmallMessage) { Run(EchoConnections(1, 5)); }

TEST_P(StreamOver, EchoesEightMebibytes) { Run(EchoConnections(1, 8 * kMiB)); }

TEST_P(StreamOver, EchoesManyConnectionsAtOnce) {
  Run(EchoConnections(64, 100'000));
}

TEST_P(StreamOver, NamesBothEnds) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = Listen();
    const SocketAddress address = ValueOf(listener.LocalAddress());
    TcpStream client = ValueOf(co_await Connect(address));
    TcpStream server = ValueOf(co_await listener.Accept());
    EXPECT_EQ(ValueOf(client.PeerAddress()), address);
    EXPECT_EQ(ValueOf(server.LocalAddress()), address);
    EXPECT_EQ(ValueOf(server.PeerAddress()), ValueOf(client.LocalAddress()));
    EXPECT_EQ(ValueOf(client.reader().PeerAddress()), address);
    EXPECT_EQ(client.reader().PeerName(), address.ToString());
    // A client of a Unix socket has no name.
    EXPECT_EQ(server.reader().PeerName(),
              address.is_unix() ? address.ToString()
                                : ValueOf(client.LocalAddress()).ToString());
  };
  Run(main());
}

TEST_P(StreamOver, AClientThatHasShutItsWritingSideGetsTheWholeAnswer) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = Listen();
    TcpStream client =
        ValueOf(co_await Connect(ValueOf(listener.LocalAddress())));
    TcpStream server = ValueOf(co_await listener.Accept());
    EXPECT_TRUE((co_await client.Write(Bytes("question"))).ok());
    EXPECT_TRUE((co_await client.ShutdownWrite()).ok());
    EXPECT_EQ(ValueOf(co_await ReadToEnd(server)), "question");
    // Answered only after the client's end of stream was seen.
    const std::vector<std::byte> answer = Pattern(2 * kMiB, 1);
    JoinHandle<absl::Status> writing = Spawn(WriteAll(server, answer));
    EXPECT_TRUE(co_await ReadExactly(client, answer.size()) ==
                AsString(answer));
    EXPECT_TRUE((co_await writing).ok());
    EXPECT_EQ(ErrnoOf(co_await client.Write(Bytes("x"))), EPIPE);
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
