// SPDX-License-Identifier: Apache-2.0
//
// SocketCalls: the options of sockets: reading and setting them, their
// inheritance by accepted sockets, and sharing a port.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/backends/testing/socket_calls_fixture.h"

namespace ringway::testing {
namespace {

using SocketOptionCalls = SocketCallsConformance;

// --- What is told of a socket.

TEST_P(SocketOptionCalls, TellWhetherASocketListens) {
  SocketFd socket = Make(AF_INET, SOCK_STREAM);
  EXPECT_EQ(Get(socket.get(), SOL_SOCKET, SO_ACCEPTCONN), 0);
  ASSERT_EQ(Bind(socket, Loopback(0)), 0);
  EXPECT_EQ(Get(socket.get(), SOL_SOCKET, SO_ACCEPTCONN), 0);
  ASSERT_EQ(calls().Listen(socket.get(), 1), 0);
  EXPECT_EQ(Get(socket.get(), SOL_SOCKET, SO_ACCEPTCONN), 1);
  EXPECT_EQ(Get(Connect().near_end.get(), SOL_SOCKET, SO_ACCEPTCONN), 0);
}

TEST_P(SocketOptionCalls, TellTheErrorOfAConnectionOnce) {
  Streams streams = Connect();
  EXPECT_EQ(Get(streams.near_end.get(), SOL_SOCKET, SO_ERROR), 0);
  system().ResetPeer(std::move(streams.far_end));
  int error = 0;
  EXPECT_TRUE(Becomes([&] {
    return (error = Get(streams.near_end.get(), SOL_SOCKET, SO_ERROR)) != 0;
  }));
  EXPECT_EQ(error, ECONNRESET);
  EXPECT_EQ(Get(streams.near_end.get(), SOL_SOCKET, SO_ERROR), 0);
  std::array<char, 1> byte;
  EXPECT_EQ(system().ReceiveInto(streams.near_end.get(), byte), 0)
      << "it was told already";
}

TEST_P(SocketOptionCalls, TellThatADatagramWasRefusedOnce) {
  SocketFd gone = Make(AF_INET, SOCK_DGRAM);
  ASSERT_EQ(Bind(gone, Loopback(0)), 0);
  SocketFd socket = Make(AF_INET, SOCK_DGRAM);
  ASSERT_EQ(ConnectTo(socket, system().AddressOf(gone.get())), 0);
  gone.Close();
  EXPECT_EQ(system().Send(socket.get(), "anybody there?"), 14);
  int error = 0;
  EXPECT_TRUE(Becomes(
      [&] { return (error = Get(socket.get(), SOL_SOCKET, SO_ERROR)) != 0; }));
  EXPECT_EQ(error, ECONNREFUSED);
  EXPECT_EQ(Get(socket.get(), SOL_SOCKET, SO_ERROR), 0);
}

TEST_P(SocketOptionCalls, WhatIsToldCannotBeSet) {
  SocketFd socket = Make(AF_INET, SOCK_STREAM);
  const int value = SOCK_DGRAM;
  for (const int option : {SO_TYPE, SO_DOMAIN, SO_ERROR, SO_ACCEPTCONN}) {
    EXPECT_EQ(calls().SetOption(socket.get(), SOL_SOCKET, option, &value,
                                sizeof(value)),
              -ENOPROTOOPT)
        << option;
  }
  EXPECT_EQ(Get(socket.get(), SOL_SOCKET, SO_TYPE), SOCK_STREAM);
}

// --- What is kept.

TEST_P(SocketOptionCalls, FlagsAreOffUntilSetAndReadAsZeroOrOne) {
  SocketFd socket = Make(AF_INET, SOCK_STREAM);
  const std::pair<int, int> flags[] = {{SOL_SOCKET, SO_REUSEADDR},
                                       {SOL_SOCKET, SO_REUSEPORT},
                                       {SOL_SOCKET, SO_KEEPALIVE},
                                       {IPPROTO_TCP, TCP_NODELAY}};
  for (const auto& [level, option] : flags) {
    EXPECT_EQ(Get(socket.get(), level, option), 0) << option;
    Set(socket.get(), level, option, 7);
    EXPECT_EQ(Get(socket.get(), level, option), 1) << option;
    Set(socket.get(), level, option, 0);
    EXPECT_EQ(Get(socket.get(), level, option), 0) << option;
  }
}

TEST_P(SocketOptionCalls, NumbersAreReadBack) {
  SocketFd socket = Make(AF_INET, SOCK_STREAM);
  for (const int option : {TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT}) {
    Set(socket.get(), IPPROTO_TCP, option, 17);
    EXPECT_EQ(Get(socket.get(), IPPROTO_TCP, option), 17) << option;
  }
}

TEST_P(SocketOptionCalls, ALingerTimeIsReadBack) {
  for (const int family : {AF_INET, AF_UNIX}) {
    SocketFd socket = Make(family, SOCK_STREAM);
    EXPECT_EQ(GetLinger(socket.get()).l_onoff, 0);
    ASSERT_EQ(SetLinger(socket.get(), {.l_onoff = 9, .l_linger = 3}), 0);
    EXPECT_EQ(GetLinger(socket.get()).l_onoff, 1);
    EXPECT_EQ(GetLinger(socket.get()).l_linger, 3);
  }
}

// Half of a buffer is for the kernel's own needs: socket(7).
TEST_P(SocketOptionCalls, ABufferIsTwiceWhatWasAskedForAndNeverNone) {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    for (const int family : {AF_INET, AF_UNIX}) {
      SocketFd socket = Make(family, type);
      for (const int option : {SO_SNDBUF, SO_RCVBUF}) {
        EXPECT_GT(Get(socket.get(), SOL_SOCKET, option), 4096);
        Set(socket.get(), SOL_SOCKET, option, 20'000);
        EXPECT_EQ(Get(socket.get(), SOL_SOCKET, option), 40'000);
        Set(socket.get(), SOL_SOCKET, option, 1);
        EXPECT_GE(Get(socket.get(), SOL_SOCKET, option), 2048);
        EXPECT_LT(Get(socket.get(), SOL_SOCKET, option), 20'000);
      }
    }
  }
}

TEST_P(SocketOptionCalls, AValueHasToBeWholeToBeSetAndIsCutToTheRoomForIt) {
  SocketFd socket = Make(AF_INET, SOCK_STREAM);
  const linger on = {.l_onoff = 1, .l_linger = 5};
  EXPECT_EQ(calls().SetOption(socket.get(), SOL_SOCKET, SO_LINGER, &on,
                              sizeof(on) - 1),
            -EINVAL);
  EXPECT_EQ(GetLinger(socket.get()).l_onoff, 0);
  const int one = 1;
  for (const int level : {int{SOL_SOCKET}, int{IPPROTO_TCP}}) {
    const int option = level == SOL_SOCKET ? SO_KEEPALIVE : TCP_NODELAY;
    EXPECT_EQ(calls().SetOption(socket.get(), level, option, &one, 3), -EINVAL);
    EXPECT_EQ(Get(socket.get(), level, option), 0);
  }

  Set(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  std::array<uint8_t, 4> value = {9, 9, 9, 9};
  socklen_t length = 1;
  EXPECT_EQ(calls().GetOption(socket.get(), IPPROTO_TCP, TCP_NODELAY,
                              value.data(), length),
            0);
  EXPECT_EQ(length, 1u);
  EXPECT_EQ(value, (std::array<uint8_t, 4>{1, 9, 9, 9}));
}

TEST_P(SocketOptionCalls, OptionsThatASocketHasNotAreRefused) {
  struct Case {
    int family, type, level, option, set_error, get_error;
  };
  constexpr int kUnknown = 9'999;
  const Case cases[] = {
      {AF_INET, SOCK_STREAM, SOL_SOCKET, kUnknown, -ENOPROTOOPT, -ENOPROTOOPT},
      {AF_INET, SOCK_STREAM, IPPROTO_TCP, kUnknown, -ENOPROTOOPT, -ENOPROTOOPT},
      {AF_UNIX, SOCK_STREAM, SOL_SOCKET, kUnknown, -ENOPROTOOPT, -ENOPROTOOPT},
      // Of a level that it has not.
      {AF_INET, SOCK_DGRAM, IPPROTO_TCP, TCP_NODELAY, -ENOPROTOOPT,
       -EOPNOTSUPP},
      {AF_UNIX, SOCK_STREAM, IPPROTO_TCP, TCP_NODELAY, -EOPNOTSUPP,
       -EOPNOTSUPP},
      {AF_UNIX, SOCK_DGRAM, IPPROTO_TCP, TCP_NODELAY, -EOPNOTSUPP, -EOPNOTSUPP},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(::testing::Message() << "family " << c.family << ", type "
                                      << c.type << ", option " << c.option);
    SocketFd socket = Make(c.family, c.type);
    int value = 1;
    socklen_t length = sizeof(value);
    EXPECT_EQ(
        calls().SetOption(socket.get(), c.level, c.option, &value, length),
        c.set_error);
    EXPECT_EQ(
        calls().GetOption(socket.get(), c.level, c.option, &value, length),
        c.get_error);
  }
}

// --- What accepted sockets inherit.

TEST_P(SocketOptionCalls, AcceptedTcpSocketsInheritThemFromTheirListener) {
  SocketFd listener = Listener();
  Set(listener.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  Set(listener.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
  Set(listener.get(), SOL_SOCKET, SO_SNDBUF, 20'000);
  Set(listener.get(), SOL_SOCKET, SO_RCVBUF, 30'000);
  ASSERT_EQ(SetLinger(listener.get(), {.l_onoff = 1, .l_linger = 7}), 0);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  TestFd accepted = system().Accept(listener.get());
  ASSERT_TRUE(accepted.valid());
  EXPECT_EQ(Get(accepted.get(), IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(Get(accepted.get(), SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(Get(accepted.get(), SOL_SOCKET, SO_SNDBUF), 40'000);
  EXPECT_EQ(Get(accepted.get(), SOL_SOCKET, SO_RCVBUF), 60'000);
  EXPECT_EQ(GetLinger(accepted.get()).l_onoff, 1);
  EXPECT_EQ(GetLinger(accepted.get()).l_linger, 7);
  EXPECT_EQ(Get(accepted.get(), SOL_SOCKET, SO_ACCEPTCONN), 0);
  EXPECT_EQ(Get(client.get(), SOL_SOCKET, SO_KEEPALIVE), 0);

  // From then on each has its own.
  Set(accepted.get(), IPPROTO_TCP, TCP_NODELAY, 0);
  EXPECT_EQ(Get(listener.get(), IPPROTO_TCP, TCP_NODELAY), 1);
}

TEST_P(SocketOptionCalls, AcceptedUnixSocketsInheritNothing) {
  const UnixName name(system().Directory() + "/s");
  SocketFd listener = Make(AF_UNIX, SOCK_STREAM);
  ASSERT_EQ(Bind(listener, name), 0);
  ASSERT_EQ(calls().Listen(listener.get(), 1), 0);
  Set(listener.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
  Set(listener.get(), SOL_SOCKET, SO_SNDBUF, 20'000);
  ASSERT_EQ(SetLinger(listener.get(), {.l_onoff = 1, .l_linger = 7}), 0);
  SocketFd client(system().sockets(),
                  system().sockets().Socket(AF_UNIX, SOCK_STREAM));
  ASSERT_EQ(ConnectTo(client, name), 0);
  TestFd accepted = system().Accept(listener.get());
  ASSERT_TRUE(accepted.valid());
  EXPECT_EQ(Get(accepted.get(), SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_NE(Get(accepted.get(), SOL_SOCKET, SO_SNDBUF), 40'000);
  EXPECT_EQ(GetLinger(accepted.get()).l_onoff, 0);
}

// --- Who shares a port.

class SharedPort : public SocketCallsConformance {
 protected:
  enum class Wants : uint8_t { kOwn, kShared };

  // A socket bound to `address`; negative, -errno, if it may not have it.
  SocketFd BindTo(int type, const sockaddr_in& address, Wants wants) {
    SocketFd socket = Make(AF_INET, type);
    if (wants == Wants::kShared) Set(socket.get(), SOL_SOCKET, SO_REUSEPORT, 1);
    const int error = Bind(socket, address);
    return error == 0 ? std::move(socket) : SocketFd(calls(), error);
  }
  int Accepted(const SocketFd& listener) {
    int n = 0;
    while (system().Accept(listener.get()).valid()) ++n;
    return n;
  }
};

TEST_P(SharedPort, IsForThoseWhoAllAskForIt) {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    for (const Wants first : {Wants::kOwn, Wants::kShared}) {
      for (const Wants second : {Wants::kOwn, Wants::kShared}) {
        SocketFd holder = BindTo(type, Loopback(0), first);
        ASSERT_TRUE(holder.valid());
        const sockaddr_in address = system().AddressOf(holder.get());
        const bool both = first == Wants::kShared && second == Wants::kShared;
        const SocketFd same = BindTo(type, address, second);
        EXPECT_EQ(same.valid(), both);
        if (!both) {
          EXPECT_EQ(same.get(), -EADDRINUSE);
        }
        // The same for an address that contains it.
        const sockaddr_in wider = Ipv4(INADDR_ANY, ntohs(address.sin_port));
        EXPECT_EQ(BindTo(type, wider, second).valid(), both);
      }
    }
  }
}

// Set after bind(), the option lets others join but has not joined a group.
TEST_P(SharedPort, CanBeOfferedByItsHolderAfterwards) {
  SocketFd holder = BindTo(SOCK_STREAM, Loopback(0), Wants::kOwn);
  const sockaddr_in address = system().AddressOf(holder.get());
  EXPECT_EQ(BindTo(SOCK_STREAM, address, Wants::kShared).get(), -EADDRINUSE);
  Set(holder.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  EXPECT_TRUE(BindTo(SOCK_STREAM, address, Wants::kShared).valid());
  EXPECT_EQ(BindTo(SOCK_STREAM, address, Wants::kOwn).get(), -EADDRINUSE);
}

TEST_P(SharedPort, GivesEachListenerSomeConnectionsAndOthersNone) {
  constexpr int kConnections = 64;
  SocketFd first = BindTo(SOCK_STREAM, Loopback(0), Wants::kShared);
  const sockaddr_in address = system().AddressOf(first.get());
  SocketFd second = BindTo(SOCK_STREAM, address, Wants::kShared);
  SocketFd silent = BindTo(SOCK_STREAM, address, Wants::kShared);
  ASSERT_EQ(calls().Listen(first.get(), kConnections), 0);
  ASSERT_EQ(calls().Listen(second.get(), kConnections), 0);
  std::vector<TestFd> clients;
  for (int i = 0; i < kConnections; ++i)
    clients.push_back(system().ConnectTo(address));
  const int of_first = Accepted(first), of_second = Accepted(second);
  EXPECT_GT(of_first, 0);
  EXPECT_GT(of_second, 0);
  EXPECT_EQ(of_first + of_second, kConnections);

  second.Close();
  clients.clear();
  for (int i = 0; i < 8; ++i) clients.push_back(system().ConnectTo(address));
  EXPECT_EQ(Accepted(first), 8) << "those that are left get all";
}

TEST_P(SharedPort, GivesEachDatagramToOneSocket) {
  SocketFd first = BindTo(SOCK_DGRAM, Loopback(0), Wants::kShared);
  const sockaddr_in address = system().AddressOf(first.get());
  SocketFd second = BindTo(SOCK_DGRAM, address, Wants::kShared);
  int of_first = 0, of_second = 0;
  for (int i = 0; i < 64; ++i) {
    TestFd sender = system().UdpSocket();
    ASSERT_EQ(system().SendTo(sender.get(), "x", address), 1);
    of_first += system().Receive(first.get(), 8) == "x";
    of_second += system().Receive(second.get(), 8) == "x";
  }
  EXPECT_GT(of_first, 0);
  EXPECT_GT(of_second, 0);
  EXPECT_EQ(of_first + of_second, 64);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SocketOptionCalls);
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SharedPort);

}  // namespace
}  // namespace ringway::testing
