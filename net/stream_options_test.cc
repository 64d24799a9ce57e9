// SPDX-License-Identifier: Apache-2.0
//
// Options of streams: each is what getsockopt(2) says, whether set by a
// listener, before connecting, or on a stream; values out of range are refused.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <functional>
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
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using testing::NetTest;
using testing::ValueOf;

struct Case {
  Case(int l, int o, std::function<void(StreamOptions&)> s, int e)
      : level(l), option(o), set(std::move(s)), expected(e) {}
  int level;
  int option;
  std::function<void(StreamOptions&)> set;
  int expected;
};

std::vector<Case> Cases() {
  auto keep_alive = [](StreamOptions& o) {
    o.keep_alive.emplace();
    o.keep_alive->idle = absl::Seconds(17);
    o.keep_alive->interval = absl::Seconds(3);
    o.keep_alive->probes = 5;
  };
  return {
      {IPPROTO_TCP, TCP_NODELAY, [](StreamOptions& o) { o.no_delay = false; },
       0},
      {IPPROTO_TCP, TCP_NODELAY, [](StreamOptions& o) { o.no_delay = true; },
       1},
      {SOL_SOCKET, SO_KEEPALIVE, keep_alive, 1},
      {IPPROTO_TCP, TCP_KEEPIDLE, keep_alive, 17},
      {IPPROTO_TCP, TCP_KEEPINTVL, keep_alive, 3},
      {IPPROTO_TCP, TCP_KEEPCNT, keep_alive, 5},
      {IPPROTO_TCP, TCP_USER_TIMEOUT,
       [](StreamOptions& o) { o.user_timeout = absl::Milliseconds(4'321); },
       4'321},
      {SOL_SOCKET, SO_SNDBUF,
       [](StreamOptions& o) { o.send_buffer_bytes = 20'000; }, 40'000},
      {SOL_SOCKET, SO_RCVBUF,
       [](StreamOptions& o) { o.receive_buffer_bytes = 30'000; }, 60'000},
      {IPPROTO_IP, IP_TOS, [](StreamOptions& o) { o.type_of_service = 0x28; },
       0x28},
      {SOL_SOCKET, SO_TIMESTAMPNS,
       [](StreamOptions& o) { o.receive_timestamps = true; }, 1},
      {SOL_SOCKET, SO_TIMESTAMPNS,
       [](StreamOptions& o) { o.receive_timestamps = false; }, 0},
  };
}

class StreamOptionsTest : public NetTest {
 protected:
  int OptionOf(const TcpStream& stream, int level, int option) {
    int value = -1;
    socklen_t length = sizeof(value);
    EXPECT_EQ(system().sockets().GetOption(stream.fd(), level, option, &value,
                                           length),
              0);
    return value;
  }

  struct Ends {
    TcpStream client;
    TcpStream server;
  };
  Task<Ends> ConnectedWith(std::string_view address, StreamOptions client,
                           StreamOptions server) {
    ListenOptions listen;
    listen.stream = server;
    TcpListener listener = ListenOn(address, listen);
    ConnectOptions connect;
    connect.stream = client;
    Ends ends;
    ends.client =
        ValueOf(co_await Connect(ValueOf(listener.LocalAddress()), connect));
    ends.server = ValueOf(co_await listener.Accept());
    co_return ends;
  }
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(StreamOptionsTest);

TEST_P(StreamOptionsTest, AreSetByListenersBeforeConnectingAndOnStreams) {
  auto main = [&]() -> Task<void> {
    std::vector<std::string> addresses = {"127.0.0.1:0"};
    if (system().is_kernel()) addresses.push_back("[::1]:0");
    for (const std::string& address : addresses) {
      for (const Case& c : Cases()) {
        SCOPED_TRACE(address + ", option " + std::to_string(c.option));
        StreamOptions options;
        c.set(options);
        Ends ends = co_await ConnectedWith(address, options, options);
        EXPECT_EQ(OptionOf(ends.client, c.level, c.option), c.expected);
        EXPECT_EQ(OptionOf(ends.server, c.level, c.option), c.expected);
        Ends plain =
            co_await ConnectedWith(address, StreamOptions(), StreamOptions());
        EXPECT_EQ(plain.client.SetOptions(options), absl::OkStatus());
        EXPECT_EQ(OptionOf(plain.client, c.level, c.option), c.expected);
      }
    }
  };
  Run(main());
}

TEST_P(StreamOptionsTest, SmallWritesAreSentAtOnceByDefault) {
  auto main = [&]() -> Task<void> {
    Ends ends =
        co_await ConnectedWith("127.0.0.1:0", StreamOptions(), StreamOptions());
    EXPECT_EQ(OptionOf(ends.client, IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(OptionOf(ends.server, IPPROTO_TCP, TCP_NODELAY), 1);
  };
  Run(main());
}

TEST_P(StreamOptionsTest, UnixSocketsHaveTheBuffersOnly) {
  auto main = [&]() -> Task<void> {
    std::string name = "s";
    for (const Case& c : Cases()) {
      StreamOptions options;
      c.set(options);
      name += 's';
      Ends ends = co_await ConnectedWith(UnixAddress(name), options, options);
      if (c.option == SO_SNDBUF && c.level == SOL_SOCKET) {
        EXPECT_EQ(OptionOf(ends.client, c.level, c.option), c.expected);
      }
    }
  };
  Run(main());
}

TEST_P(StreamOptionsTest, ValuesOutOfRangeAreRefusedByName) {
  using Set = std::function<void(StreamOptions&)>;
  const std::vector<std::pair<std::string_view, Set>> bad = {
      {"SO_SNDBUF", [](StreamOptions& o) { o.send_buffer_bytes = 0; }},
      {"SO_SNDBUF", [](StreamOptions& o) { o.send_buffer_bytes = SIZE_MAX; }},
      {"SO_RCVBUF",
       [](StreamOptions& o) { o.receive_buffer_bytes = size_t{1} << 31; }},
      {"TCP_USER_TIMEOUT",
       [](StreamOptions& o) { o.user_timeout = absl::ZeroDuration(); }},
      {"TCP_USER_TIMEOUT",
       [](StreamOptions& o) { o.user_timeout = absl::InfiniteDuration(); }},
      {"TCP_KEEPIDLE",
       [](StreamOptions& o) { o.keep_alive.emplace().idle = absl::Hours(10); }},
      {"TCP_KEEPCNT",
       [](StreamOptions& o) { o.keep_alive.emplace().probes = 0; }},
      {"IP_TOS", [](StreamOptions& o) { o.type_of_service = 256; }},
      {"IP_TOS", [](StreamOptions& o) { o.type_of_service = -1; }},
  };
  auto main = [&]() -> Task<void> {
    Ends ends =
        co_await ConnectedWith("127.0.0.1:0", StreamOptions(), StreamOptions());
    for (const auto& [name, set] : bad) {
      StreamOptions options;
      set(options);
      const absl::Status status = ends.client.SetOptions(options);
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), name)) << status;
    }
    ListenOptions listen;
    listen.defer_accept = absl::Seconds(-1);
    const absl::Status negative =
        TcpListener::Listen(ValueOf(SocketAddress::Parse("127.0.0.1:0")),
                            listen)
            .status();
    EXPECT_TRUE(absl::StrContains(negative.message(), "TCP_DEFER_ACCEPT"))
        << negative;
    ends.client = TcpStream();
    EXPECT_EQ(ends.client.SetOptions(StreamOptions()).code(),
              absl::StatusCode::kFailedPrecondition);
  };
  Run(main());
}

TEST_P(StreamOptionsTest, WhatTheSystemRefusesIsNamed) {
  auto main = [&]() -> Task<void> {
    Ends ends =
        co_await ConnectedWith("127.0.0.1:0", StreamOptions(), StreamOptions());
    StreamOptions options;
    options.congestion_control = "no_such_algorithm";
    const absl::Status unknown = ends.client.SetOptions(options);
    EXPECT_TRUE(absl::StrContains(unknown.message(), "no_such_algorithm"))
        << unknown;
    options = StreamOptions();
    options.device = "no_such_device";
    EXPECT_TRUE(absl::StrContains(ends.client.SetOptions(options).message(),
                                  "no_such_device"));
  };
  Run(main());
}

TEST_P(StreamOptionsTest, ListenersDeferAndTakeEarlyData) {
  RINGWAY_REQUIRES_KERNEL("deferring");
  auto main = [&]() -> Task<void> {
    ListenOptions options;
    options.defer_accept = absl::Seconds(5);
    options.fast_open_queue = 16;
    TcpListener listener = ListenOn("127.0.0.1:0", options);
    TcpStream client =
        ValueOf(co_await Connect(ValueOf(listener.LocalAddress())));
    EXPECT_TRUE(absl::IsDeadlineExceeded(
        (co_await WithTimeout(absl::Milliseconds(20), listener.Accept()))
            .status()))
        << "nothing was sent yet";
    EXPECT_EQ(co_await client.Write(testing::Bytes("x")), absl::OkStatus());
    EXPECT_TRUE((co_await listener.Accept()).ok());
  };
  Run(main());
}

TEST_P(StreamOptionsTest, ConnectsWithTheFirstBytes) {
  RINGWAY_REQUIRES_KERNEL("TCP fast open");
  auto main = [&]() -> Task<void> {
    ListenOptions listening;
    listening.fast_open_queue = 16;
    TcpListener listener = ListenOn("127.0.0.1:0", listening);
    ConnectOptions options;
    options.fast_open = true;
    // The first connection learns that the peer's machine takes early data.
    for (int i = 0; i < 3; ++i) {
      TcpStream client =
          ValueOf(co_await Connect(ValueOf(listener.LocalAddress()), options));
      EXPECT_EQ(co_await client.Write(testing::Bytes("early")),
                absl::OkStatus());
      TcpStream server = ValueOf(co_await listener.Accept());
      EXPECT_EQ(co_await testing::ReadExactly(server, 5), "early");
      EXPECT_EQ(co_await server.Write(testing::Bytes("reply")),
                absl::OkStatus());
      EXPECT_EQ(co_await testing::ReadExactly(client, 5), "reply");
    }
    // Where nobody listens, by the connect or by the write.
    const SocketAddress nobody = ValueOf(listener.LocalAddress());
    listener.Close();
    absl::StatusOr<TcpStream> refused = co_await Connect(nobody, options);
    absl::Status status = refused.status();
    if (refused.ok()) status = co_await refused->Write(testing::Bytes("x"));
    EXPECT_TRUE(ErrnoOf(status) == ECONNREFUSED ||
                ErrnoOf(status) == ECONNRESET)
        << status;
  };
  Run(main());
}

TEST_P(StreamOptionsTest, ConnectsFromTheAddressAsked) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    const SocketAddress address = ValueOf(listener.LocalAddress());
    ConnectOptions options;
    options.local = ValueOf(SocketAddress::Parse("127.0.0.1:0"));
    TcpStream first = ValueOf(co_await Connect(address, options));
    // Its port is taken now.
    options.local = ValueOf(first.LocalAddress());
    const absl::Status taken = (co_await Connect(address, options)).status();
    EXPECT_EQ(ErrnoOf(taken), EADDRINUSE) << taken;
    EXPECT_TRUE(absl::StrContains(taken.message(), options.local.ToString()))
        << taken;
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
