// SPDX-License-Identifier: Apache-2.0
//
// Connecting to several addresses: which are tried when, and what is left of
// those that lost.

#include "ringway/net/resolver/connect_host.h"

#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/system.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/net/resolver/fixed_resolver.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::TestFd;
using ringway::testing::TestFdPair;
using testing::NetTest;
using testing::ValueOf;

SocketAddress Address(std::string_view text) {
  return ValueOf(SocketAddress::Parse(text));
}

std::vector<std::string> Ordered(const std::vector<std::string>& texts) {
  std::vector<SocketAddress> addresses;
  for (const std::string& text : texts) addresses.push_back(Address(text));
  std::vector<std::string> ordered;
  for (const SocketAddress& address : InOrderOfAttempts(addresses))
    ordered.push_back(address.ToString());
  return ordered;
}

TEST(InOrderOfAttempts, TakesTheFamiliesByTurns) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(Ordered({}), Texts());
  EXPECT_EQ(Ordered({"1.1.1.1:1", "2.2.2.2:1"}),
            Texts({"1.1.1.1:1", "2.2.2.2:1"}));
  EXPECT_EQ(
      Ordered({"[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"}),
      Texts({"[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"}));
  EXPECT_EQ(Ordered({"1.1.1.1:1", "2.2.2.2:1", "[::1]:1"}),
            Texts({"1.1.1.1:1", "[::1]:1", "2.2.2.2:1"}));
}

class ConnectHostTest : public NetTest {
 protected:
  static constexpr absl::Duration kStagger = absl::Milliseconds(20);

  SocketAddress AddressOf(const TestFd& fd) {
    return ValueOf(SocketAddress::LocalOf(system().sockets(), fd.get()));
  }
  SocketAddress FreePort() {
    TcpListener listener = ListenOn("127.0.0.1:0");
    return ValueOf(listener.LocalAddress());
  }
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(ConnectHostTest);

// One that refuses costs no stagger.
TEST_P(ConnectHostTest, GoesOnAtOnceAfterARefusal) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    const SocketAddress serves = ValueOf(listener.LocalAddress());
    std::vector<SocketAddress> addresses = {FreePort(), FreePort(), serves};
    const size_t fds_before = OpenFds();
    absl::StatusOr<TcpStream> stream = co_await ConnectAny(
        std::move(addresses), /*stagger=*/absl::InfiniteDuration());
    EXPECT_EQ(ValueOf(ValueOf(std::move(stream)).PeerAddress()), serves);
    EXPECT_EQ(OpenFds(), fds_before);
  };
  Run(main());
}

// One that hangs costs one, and is gone.
TEST_P(ConnectHostTest, TriesTheNextBesideOneThatHangs) {
  auto main = [&]() -> Task<void> {
    TestFd hangs = system().TcpListener(/*backlog=*/0);
    TestFdPair fill = system().FillAcceptQueue(hangs.get());
    TcpListener listener = ListenOn("127.0.0.1:0");
    const SocketAddress serves = ValueOf(listener.LocalAddress());
    const size_t fds_before = OpenFds();
    const MonotonicTime begin = loop().now();
    std::vector<SocketAddress> addresses = {AddressOf(hangs), serves};
    absl::StatusOr<TcpStream> stream =
        co_await ConnectAny(std::move(addresses), kStagger);
    EXPECT_EQ(ValueOf(stream.value().PeerAddress()), serves);
    EXPECT_GE(loop().now() - begin, kStagger);
    EXPECT_EQ(OpenFds(), fds_before + 1);
  };
  Run(main());
}

TEST_P(ConnectHostTest, TheFirstFailureIsReportedIfAllFail) {
  auto main = [&]() -> Task<void> {
    const SocketAddress first = FreePort();
    std::vector<SocketAddress> addresses = {first, FreePort(), FreePort()};
    const absl::Status status =
        (co_await ConnectAny(std::move(addresses))).status();
    EXPECT_EQ(ErrnoOf(status), ECONNREFUSED) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), first.ToString()))
        << status;
    EXPECT_EQ((co_await ConnectAny({})).status().code(),
              absl::StatusCode::kInvalidArgument);
  };
  Run(main());
}

TEST_P(ConnectHostTest, CancellingEndsAllAttempts) {
  auto main = [&]() -> Task<void> {
    TestFd hangs = system().TcpListener(/*backlog=*/0);
    TestFdPair fill = system().FillAcceptQueue(hangs.get());
    const size_t fds_before = OpenFds();
    std::vector<SocketAddress> addresses = {AddressOf(hangs), AddressOf(hangs)};
    const absl::StatusOr<TcpStream> stream = co_await WithTimeout(
        absl::Milliseconds(30), ConnectAny(std::move(addresses), kStagger));
    EXPECT_TRUE(absl::IsDeadlineExceeded(stream.status())) << stream.status();
    EXPECT_EQ(OpenFds(), fds_before);
  };
  Run(main());
}

TEST_P(ConnectHostTest, AsksTheResolver) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    const SocketAddress serves = ValueOf(listener.LocalAddress());
    FixedResolver resolver;
    resolver.Add("Server", serves.WithPort(1));
    for (const char* host : {"server", "SERVER", "127.0.0.1"}) {
      absl::StatusOr<TcpStream> stream =
          co_await ConnectToHost(resolver, host, serves.port());
      EXPECT_EQ(ValueOf(stream.value().PeerAddress()), serves) << host;
    }
    const absl::Status unknown =
        (co_await ConnectToHost(resolver, "nowhere", 1)).status();
    EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
    EXPECT_TRUE(absl::StrContains(unknown.message(), "nowhere")) << unknown;
    const absl::Status refused =
        (co_await ConnectToHost(resolver, "server", FreePort().port()))
            .status();
    EXPECT_EQ(ErrnoOf(refused), ECONNREFUSED) << refused;
    EXPECT_TRUE(absl::StrContains(refused.message(), "server")) << refused;
  };
  Run(main());
}

TEST_P(ConnectHostTest, ConnectsWithTheOptionsGiven) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    const SocketAddress serves = ValueOf(listener.LocalAddress());
    ConnectOptions options;
    options.stream.send_buffer_bytes = 20'000;
    std::vector<TcpStream> streams;
    std::vector<SocketAddress> addresses = {FreePort(), serves};
    streams.push_back(
        ValueOf(co_await ConnectAny(std::move(addresses), kStagger, options)));
    FixedResolver resolver;
    streams.push_back(ValueOf(co_await ConnectToHost(
        resolver, "127.0.0.1", serves.port(), kStagger, options)));
    for (const TcpStream& stream : streams) {
      int value = -1;
      socklen_t length = sizeof(value);
      EXPECT_EQ(system().sockets().GetOption(stream.fd(), SOL_SOCKET, SO_SNDBUF,
                                             &value, length),
                0);
      EXPECT_EQ(value, 40'000);  // the kernel doubles it
    }
  };
  Run(main());
}

// Connecting then waits for no answer, so the first address would always win.
TEST_P(ConnectHostTest, RefusesFastOpen) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    std::vector<SocketAddress> addresses = {ValueOf(listener.LocalAddress())};
    ConnectOptions options;
    options.fast_open = true;
    const absl::Status status =
        (co_await ConnectAny(std::move(addresses), kStagger, options)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(status.message(), "fast_open")) << status;
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
