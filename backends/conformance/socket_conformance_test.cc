// SPDX-License-Identifier: Apache-2.0
//
// The life of sockets: made, bound, listening, accepted, connected, shut down.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/testing/operation_fixture.h"

namespace ringway::testing {
namespace {

sockaddr_in Ipv4(uint32_t host, uint16_t port = 0) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(host);
  return address;
}

// The address of a Unix socket.
struct UnixAddress {
  explicit UnixAddress(std::string_view path) {
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) +
                                    path.size() + 1);
  }
  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&address);
  }

  sockaddr_un address = {};
  socklen_t length;
};

class SocketConformance : public OperationConformance {
 protected:
  TestFd Socket(int domain, int type = SOCK_STREAM) {
    PrepareSocket(op_, domain, type, 0);
    return system().Own(Run());
  }

  int32_t Bind(int fd, const sockaddr_in& address) {
    PrepareBind(op_, fd, AsSockaddr(address), sizeof(address));
    return Run();
  }

  int32_t Listen(int fd, int backlog = 16) {
    PrepareListen(op_, fd, backlog);
    return Run();
  }

  int32_t Connect(int fd, const sockaddr_in& address) {
    PrepareConnect(op_, fd, AsSockaddr(address), sizeof(address));
    return Run();
  }

  int32_t Connect(int fd, const UnixAddress& address) {
    PrepareConnect(op_, fd, address.get(), address.length);
    return Run();
  }

  // A Unix socket that listens at `address`.
  TestFd UnixListener(const UnixAddress& address, int backlog = 16) {
    TestFd listener = Socket(AF_UNIX);
    PrepareBind(op_, listener.get(), address.get(), address.length);
    EXPECT_EQ(Run(), 0);
    EXPECT_EQ(Listen(listener.get(), backlog), 0);
    return listener;
  }

  void ExpectConnected(int a, int b) {
    SendAll(a, "ping");
    EXPECT_EQ(ReceiveAll(b, 4), "ping");
    SendAll(b, "pong");
    EXPECT_EQ(ReceiveAll(a, 4), "pong");
  }
};

// --- socket, bind, listen

TEST_P(SocketConformance, SocketGivesAnFdThatIsNotInherited) {
  TestFd made = Socket(AF_INET);
  ASSERT_TRUE(made.valid());
  EXPECT_TRUE(system().IsCloseOnExec(made.get()));
}

TEST_P(SocketConformance, SocketOfAnUnknownFamilyIsEafnosupport) {
  PrepareSocket(op_, /*domain=*/40'000, SOCK_STREAM, 0);
  EXPECT_EQ(Run(), -EAFNOSUPPORT);
}

TEST_P(SocketConformance, SocketBoundAndListeningIsConnectedTo) {
  TestFd listener = Socket(AF_INET);
  EXPECT_EQ(Bind(listener.get(), Ipv4(INADDR_LOOPBACK)), 0);
  EXPECT_EQ(Listen(listener.get()), 0);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  PrepareAccept(op_, listener.get(), nullptr, nullptr);
  TestFd server = system().Own(Run());
  ExpectConnected(client.get(), server.get());
}

TEST_P(SocketConformance, BindToPortZeroChoosesOne) {
  TestFd a = Socket(AF_INET), b = Socket(AF_INET);
  EXPECT_EQ(Bind(a.get(), Ipv4(INADDR_LOOPBACK)), 0);
  EXPECT_EQ(Bind(b.get(), Ipv4(INADDR_LOOPBACK)), 0);
  EXPECT_NE(system().AddressOf(a.get()).sin_port, 0);
  EXPECT_NE(system().AddressOf(a.get()).sin_port,
            system().AddressOf(b.get()).sin_port);
}

TEST_P(SocketConformance, BindToAPortThatIsTakenIsEaddrinuse) {
  TestFd listener = system().TcpListener(1);
  TestFd second = Socket(AF_INET);
  EXPECT_EQ(Bind(second.get(), system().AddressOf(listener.get())),
            -EADDRINUSE);
}

TEST_P(SocketConformance, BindOfABoundSocketIsEinval) {
  TestFd socket = Socket(AF_INET);
  ASSERT_EQ(Bind(socket.get(), Ipv4(INADDR_LOOPBACK)), 0);
  EXPECT_EQ(Bind(socket.get(), Ipv4(INADDR_LOOPBACK)), -EINVAL);
}

TEST_P(SocketConformance, BindToAForeignAddressIsEaddrnotavail) {
  TestFd socket = Socket(AF_INET);
  EXPECT_EQ(Bind(socket.get(), Ipv4(0xc0000201)), -EADDRNOTAVAIL);
}

TEST_P(SocketConformance, BindOfWhatIsNoSocketHasItsErrno) {
  TestFdPair pipe = system().Pipe();
  EXPECT_EQ(Bind(pipe.first.get(), Ipv4(INADDR_LOOPBACK)), -ENOTSOCK);
  EXPECT_EQ(Bind(-1, Ipv4(INADDR_LOOPBACK)), -EBADF);
}

TEST_P(SocketConformance, ListenOnADatagramSocketIsEopnotsupp) {
  TestFd socket = system().UdpSocket();
  EXPECT_EQ(Listen(socket.get()), -EOPNOTSUPP);
}

TEST_P(SocketConformance, ListenOnWhatIsNoSocketHasItsErrno) {
  TestFdPair pipe = system().Pipe();
  EXPECT_EQ(Listen(pipe.first.get()), -ENOTSOCK);
  EXPECT_EQ(Listen(-1), -EBADF);
}

// --- accept

TEST_P(SocketConformance, AcceptGivesAnFdThatIsNotInherited) {
  TestFd listener = system().TcpListener(1);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  PrepareAccept(op_, listener.get(), nullptr, nullptr);
  TestFd accepted = system().Own(Run());
  ASSERT_TRUE(accepted.valid());
  EXPECT_TRUE(system().IsCloseOnExec(accepted.get()));
  ExpectConnected(client.get(), accepted.get());
}

TEST_P(SocketConformance, AcceptTellsThePeersAddress) {
  TestFd listener = system().TcpListener(1);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  sockaddr_in peer = {};
  socklen_t length = sizeof(peer);
  PrepareAccept(op_, listener.get(), reinterpret_cast<sockaddr*>(&peer),
                &length);
  TestFd accepted = system().Own(Run());
  EXPECT_EQ(length, sizeof(peer));
  EXPECT_EQ(peer.sin_family, AF_INET);
  EXPECT_EQ(peer.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
  EXPECT_EQ(peer.sin_port, system().AddressOf(client.get()).sin_port);
}

TEST_P(SocketConformance, AcceptWaitsForAConnection) {
  TestFd listener = system().TcpListener(1);
  sockaddr_in peer = {};
  socklen_t length = sizeof(peer);
  PrepareAccept(op_, listener.get(), reinterpret_cast<sockaddr*>(&peer),
                &length);
  StartAndPend();
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  TestFd server = system().Own(Finish());
  ASSERT_TRUE(server.valid());
  EXPECT_EQ(peer.sin_port, system().AddressOf(client.get()).sin_port);
}

TEST_P(SocketConformance, AcceptOnASocketThatDoesNotListenIsEinval) {
  TestFd socket = system().TcpSocket();
  PrepareAccept(op_, socket.get(), nullptr, nullptr);
  EXPECT_EQ(Run(), -EINVAL);
}

TEST_P(SocketConformance, AcceptOnWhatIsNoListenerHasItsErrno) {
  TestFdPair pipe = system().Pipe();
  TestFd datagrams = system().UdpSocket();
  for (auto [fd, result] :
       {std::pair{pipe.first.get(), -ENOTSOCK},
        std::pair{datagrams.get(), -EOPNOTSUPP}, std::pair{-1, -EBADF}}) {
    PrepareAccept(op_, fd, nullptr, nullptr);
    EXPECT_EQ(Run(), result);
  }
}

TEST_P(SocketConformance, AcceptWithoutFdsLeftIsEmfileAndWorksAgain) {
  RINGWAY_REQUIRES_KERNEL("limit on fds");
  TestFd listener = system().TcpListener(4);
  TestFd client = system().ConnectTo(system().AddressOf(listener.get()));
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none_left = {0, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none_left), 0);
  PrepareAccept(op_, listener.get(), nullptr, nullptr);
  const int32_t refused = Run();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);

  EXPECT_EQ(refused, -EMFILE);
  PrepareAccept(op_, listener.get(), nullptr, nullptr);
  TestFd server = system().Own(Run());
  ASSERT_TRUE(server.valid()) << "the connection is still in the queue";
  ExpectConnected(client.get(), server.get());
}

TEST_P(SocketConformance, ShutdownOfAListenerEndsItsAccept) {
  TestFd listener = system().TcpListener(1);
  PrepareAccept(op_, listener.get(), nullptr, nullptr);
  StartAndPend();
  CountedOperation shutdown;
  PrepareShutdown(shutdown, listener.get(), SHUT_RDWR);
  EXPECT_EQ(driver().RunToEnd(shutdown), 0);
  EXPECT_EQ(Finish(), -EINVAL);
}

TEST_P(SocketConformance, ListenerClosesAfterItsAcceptsAreCancelled) {
  TestFd listener = system().TcpListener(4);
  const sockaddr_in address = system().AddressOf(listener.get());
  PrepareAccept(op_, listener.get(), nullptr, nullptr);
  StartAndPend();
  EXPECT_EQ(driver()->CancelFd(listener.get(), driver().ready()), 1u);
  EXPECT_EQ(Finish(), -ECANCELED);
  PrepareClose(op_, listener.Release());
  EXPECT_EQ(Run(), 0);
  TestFd late = system().TcpSocket();
  EXPECT_EQ(Connect(late.get(), address), -ECONNREFUSED);
}

// --- connect

TEST_P(SocketConformance, ConnectEstablishes) {
  TestFd listener = system().TcpListener(1);
  TestFd client = system().TcpSocket();
  EXPECT_EQ(Connect(client.get(), system().AddressOf(listener.get())), 0);
  TestFd server = system().Accept(listener.get());
  ASSERT_TRUE(server.valid());
  ExpectConnected(client.get(), server.get());
}

TEST_P(SocketConformance, ConnectToTheAnyAddressReachesThisHost) {
  TestFd listener = system().TcpListener(1);
  TestFd client = system().TcpSocket();
  const uint16_t port = ntohs(system().AddressOf(listener.get()).sin_port);
  EXPECT_EQ(Connect(client.get(), Ipv4(INADDR_ANY, port)), 0);
  TestFd server = system().Accept(listener.get());
  ASSERT_TRUE(server.valid());
  ExpectConnected(client.get(), server.get());
}

TEST_P(SocketConformance, ConnectWhereNobodyListensIsEconnrefused) {
  TestFd listener = system().TcpListener(1);
  const sockaddr_in address = system().AddressOf(listener.get());
  listener.Reset();
  TestFd client = system().TcpSocket();
  EXPECT_EQ(Connect(client.get(), address), -ECONNREFUSED);
}

TEST_P(SocketConformance, ConnectOfAConnectedSocketIsEisconn) {
  TestFd listener = system().TcpListener(1);
  const sockaddr_in address = system().AddressOf(listener.get());
  TestFd client = system().ConnectTo(address);
  EXPECT_EQ(Connect(client.get(), address), -EISCONN);
}

TEST_P(SocketConformance, ConnectToAnotherFamilyIsEafnosupport) {
  TestFd client = system().TcpSocket();
  EXPECT_EQ(Connect(client.get(), UnixAddress("/nowhere/at/all")),
            -EAFNOSUPPORT);
}

TEST_P(SocketConformance, ConnectOfWhatIsNoSocketHasItsErrno) {
  TestFdPair pipe = system().Pipe();
  EXPECT_EQ(Connect(pipe.first.get(), Ipv4(INADDR_LOOPBACK, 9)), -ENOTSOCK);
  EXPECT_EQ(Connect(-1, Ipv4(INADDR_LOOPBACK, 9)), -EBADF);
}

TEST_P(SocketConformance, ConnectOfADatagramSocketNamesItsPeer) {
  TestFd receiver = system().UdpSocket(), sender = system().UdpSocket();
  EXPECT_EQ(Connect(sender.get(), system().AddressOf(receiver.get())), 0);
  PrepareSend(op_, sender.get(), AsBytes("hello"));
  EXPECT_EQ(Run(), 5);
  EXPECT_EQ(ReceiveAll(receiver.get(), 5), "hello");
}

// --- Unix sockets

TEST_P(SocketConformance, UnixSocketsMeetAtAPath) {
  const UnixAddress address(system().Directory() + "/socket");
  TestFd listener = UnixListener(address);
  TestFd client = Socket(AF_UNIX);
  EXPECT_EQ(Connect(client.get(), address), 0);
  PrepareAccept(op_, listener.get(), nullptr, nullptr);
  TestFd server = system().Own(Run());
  ASSERT_TRUE(server.valid());
  ExpectConnected(client.get(), server.get());
}

TEST_P(SocketConformance, BindToAPathThatExistsIsEaddrinuse) {
  const UnixAddress address(system().Directory() + "/socket");
  TestFd listener = UnixListener(address), second = Socket(AF_UNIX);
  PrepareBind(op_, second.get(), address.get(), address.length);
  EXPECT_EQ(Run(), -EADDRINUSE);
}

TEST_P(SocketConformance, ConnectToAClosedUnixPathIsEconnrefused) {
  const UnixAddress address(system().Directory() + "/socket");
  UnixListener(address).Reset();
  TestFd client = Socket(AF_UNIX);
  EXPECT_EQ(Connect(client.get(), address), -ECONNREFUSED);
}

TEST_P(SocketConformance, ConnectToAMissingPathIsEnoent) {
  TestFd client = Socket(AF_UNIX);
  EXPECT_EQ(Connect(client.get(), UnixAddress(system().Directory() + "/none")),
            -ENOENT);
}

TEST_P(SocketConformance, ConnectToARegularFileIsEconnrefused) {
  const std::string path = system().Directory() + "/file";
  PrepareOpenAt(op_, AT_FDCWD, path.c_str(), O_RDWR | O_CREAT, 0600);
  TestFd file = system().Own(Run());
  TestFd client = Socket(AF_UNIX);
  EXPECT_EQ(Connect(client.get(), UnixAddress(path)), -ECONNREFUSED);
}

TEST_P(SocketConformance, ConnectToATooLongPathIsEinval) {
  // One byte more than a Unix address has, and room for it.
  sockaddr_storage storage = {};
  storage.ss_family = AF_UNIX;
  memset(reinterpret_cast<char*>(&storage) + offsetof(sockaddr_un, sun_path),
         'p', sizeof(sockaddr_un::sun_path) + 1);
  TestFd client = Socket(AF_UNIX);
  PrepareConnect(op_, client.get(), reinterpret_cast<sockaddr*>(&storage),
                 sizeof(sockaddr_un) + 1);
  EXPECT_EQ(Run(), -EINVAL);
}

TEST_P(SocketConformance, ConnectToAFullUnixQueueWaitsForRoom) {
  const UnixAddress address(system().Directory() + "/socket");
  TestFd listener = UnixListener(address, /*backlog=*/0);
  TestFd first = Socket(AF_UNIX), second = Socket(AF_UNIX);
  ASSERT_EQ(Connect(first.get(), address), 0);
  PrepareConnect(op_, second.get(), address.get(), address.length);
  StartAndPend();
  TestFd accepted = system().Accept(listener.get());
  EXPECT_EQ(Finish(), 0);
}

TEST_P(SocketConformance, ConnectToAFullUnixQueueCanBeCancelled) {
  const UnixAddress address(system().Directory() + "/socket");
  TestFd listener = UnixListener(address, /*backlog=*/0);
  TestFd first = Socket(AF_UNIX), second = Socket(AF_UNIX);
  ASSERT_EQ(Connect(first.get(), address), 0);
  PrepareConnect(op_, second.get(), address.get(), address.length);
  StartAndPend();
  EXPECT_EQ(driver().Cancel(op_), CancelOutcome::kRequested);
  EXPECT_EQ(Finish(), -ECANCELED);
}

// --- shutdown

TEST_P(SocketConformance, ShutdownEndsTheStreamForThePeer) {
  TestFdPair sockets = system().SocketPair();
  PrepareShutdown(op_, sockets.first.get(), SHUT_WR);
  EXPECT_EQ(Run(), 0);
  EXPECT_TRUE(system().AtEnd(sockets.second.get()));
  SendAll(sockets.second.get(), "still");
  EXPECT_EQ(system().Receive(sockets.first.get(), 64), "still");
}

TEST_P(SocketConformance, ShutdownEndsAWaitingRecv) {
  TestFdPair sockets = system().SocketPair();
  PrepareRecv(op_, sockets.first.get(), buffer_);
  StartAndPend();
  CountedOperation shutdown;
  PrepareShutdown(shutdown, sockets.first.get(), SHUT_RD);
  EXPECT_EQ(driver().RunToEnd(shutdown), 0);
  EXPECT_EQ(Finish(), 0);
}

TEST_P(SocketConformance, ShutdownOfWhatCannotBeHasItsErrno) {
  TestFd socket = system().TcpSocket();
  TestFdPair pipe = system().Pipe(), sockets = system().SocketPair();
  const struct {
    int fd, how, result;
  } cases[] = {{socket.get(), SHUT_WR, -ENOTCONN},
               {pipe.first.get(), SHUT_WR, -ENOTSOCK},
               {-1, SHUT_WR, -EBADF},
               {sockets.first.get(), /*unknown*/ 7, -EINVAL}};
  for (const auto& c : cases) {
    PrepareShutdown(op_, c.fd, c.how);
    EXPECT_EQ(Run(), c.result);
  }
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SocketConformance);

}  // namespace
}  // namespace ringway::testing
