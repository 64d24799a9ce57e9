// SPDX-License-Identifier: Apache-2.0
//
// SocketCalls: the names of sockets - binding, listening, connecting datagram
// sockets, looking names up, and removing those of sockets that are gone.

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/backends/testing/socket_calls_fixture.h"

namespace ringway::testing {
namespace {

class SocketNameCalls : public SocketCallsConformance {
 protected:
  // What looking for the peer's name gives.
  int PeerError(int fd) {
    sockaddr_storage name;
    socklen_t length = 0;
    return calls().PeerName(fd, name, length);
  }
  sockaddr_in Peer(int fd) {
    sockaddr_storage name = {};
    socklen_t length = 0;
    EXPECT_EQ(calls().PeerName(fd, name, length), 0);
    EXPECT_EQ(length, sizeof(sockaddr_in));
    sockaddr_in in;
    memcpy(&in, &name, sizeof(in));
    return in;
  }

  int RemoveStale(const UnixName& name) {
    return calls().RemoveStaleName(AsSockaddr(name.address), name.length);
  }
  // What a new socket's binding to `name` gives.
  int TryBind(const UnixName& name) {
    return Bind(Make(AF_UNIX, SOCK_STREAM), name);
  }
};

bool operator==(const sockaddr_in& a, const sockaddr_in& b) {
  return a.sin_family == b.sin_family && a.sin_port == b.sin_port &&
         a.sin_addr.s_addr == b.sin_addr.s_addr;
}

// --- Binding and listening.

TEST_P(SocketNameCalls, BindGivesPortZeroAPortOfItsOwn) {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    SocketFd first = Make(AF_INET, type), second = Make(AF_INET, type);
    EXPECT_EQ(system().AddressOf(first.get()).sin_port, 0);
    ASSERT_EQ(Bind(first, Loopback(0)), 0);
    ASSERT_EQ(Bind(second, Loopback(0)), 0);
    const sockaddr_in one = system().AddressOf(first.get());
    EXPECT_EQ(one.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    EXPECT_NE(one.sin_port, 0);
    EXPECT_NE(one.sin_port, system().AddressOf(second.get()).sin_port);
    EXPECT_EQ(Bind(first, Loopback(0)), -EINVAL) << "it has a name";
  }
}

TEST_P(SocketNameCalls, BindRefusesAnIPv4AddressThatCannotBeHad) {
  SocketFd holder = Listener();
  const sockaddr_in taken = system().AddressOf(holder.get());
  SocketFd socket = Make(AF_INET, SOCK_STREAM);
  EXPECT_EQ(Bind(socket, taken), -EADDRINUSE);
  EXPECT_EQ(Bind(socket, Ipv4(INADDR_ANY, ntohs(taken.sin_port))), -EADDRINUSE);
  EXPECT_EQ(Bind(socket, Ipv4(0xc0000201, 0)), -EADDRNOTAVAIL);  // 192.0.2.1
  EXPECT_EQ(Bind(socket, UnixName("/of-another-family")), -EAFNOSUPPORT);
  const sockaddr_in whole = Loopback(0);
  EXPECT_EQ(calls().Bind(socket.get(), AsSockaddr(whole), sizeof(whole) - 1),
            -EINVAL);
  // Other socket types have separate ports.
  EXPECT_EQ(Bind(Make(AF_INET, SOCK_DGRAM), taken), 0);
  holder.Close();
  EXPECT_EQ(Bind(socket, taken), 0);
}

TEST_P(SocketNameCalls, BindRefusesAUnixNameThatCannotBeHad) {
  const std::string directory = system().Directory();
  SocketFd first = Make(AF_UNIX, SOCK_STREAM);
  ASSERT_EQ(Bind(first, UnixName(directory + "/s")), 0);
  SocketFd socket = Make(AF_UNIX, SOCK_STREAM);
  EXPECT_EQ(Bind(socket, UnixName(directory + "/s")), -EADDRINUSE);
  EXPECT_EQ(Bind(socket, UnixName(directory)), -EADDRINUSE);
  EXPECT_EQ(Bind(socket, UnixName(directory + "/no/s")), -ENOENT);
  EXPECT_EQ(Bind(socket, UnixName(directory + "/s/s")), -ENOTDIR);
  EXPECT_EQ(Bind(socket, Loopback(0)), -EINVAL);
  EXPECT_EQ(Bind(first, UnixName(directory + "/t")), -EINVAL) << "it has one";
}

TEST_P(SocketNameCalls, BindGivesAUnixSocketWithoutANameAnAbstractOne) {
  SocketFd first = Make(AF_UNIX, SOCK_STREAM);
  SocketFd second = Make(AF_UNIX, SOCK_STREAM);
  sockaddr_un none = {};
  none.sun_family = AF_UNIX;
  for (SocketFd* fd : {&first, &second}) {
    ASSERT_EQ(calls().Bind(fd->get(), AsSockaddr(none), sizeof(sa_family_t)),
              0);
    EXPECT_EQ(NameOf(fd->get()).substr(0, 1), std::string(1, '\0'));
    EXPECT_EQ(NameOf(fd->get()).size(), 6u) << "unix(7): 5 hex digits";
  }
  EXPECT_NE(NameOf(first.get()), NameOf(second.get()));
}

TEST_P(SocketNameCalls, ListenNamesAnIPv4SocketAndRefusesTheRest) {
  SocketFd tcp = Make(AF_INET, SOCK_STREAM);
  EXPECT_EQ(calls().Listen(tcp.get(), 1), 0);
  EXPECT_EQ(system().AddressOf(tcp.get()).sin_addr.s_addr, INADDR_ANY);
  EXPECT_NE(system().AddressOf(tcp.get()).sin_port, 0);
  EXPECT_EQ(calls().Listen(tcp.get(), 2), 0) << "another backlog";
  EXPECT_EQ(calls().Listen(Make(AF_UNIX, SOCK_STREAM).get(), 1), -EINVAL);
  for (const int family : {AF_INET, AF_UNIX}) {
    EXPECT_EQ(calls().Listen(Make(family, SOCK_DGRAM).get(), 1), -EOPNOTSUPP);
  }
  EXPECT_EQ(calls().Listen(Connect().near_end.get(), 1), -EINVAL);
}

// --- Connecting datagram sockets.

TEST_P(SocketNameCalls, ConnectChoosesTheReceiverOfDatagrams) {
  SocketFd first = Make(AF_INET, SOCK_DGRAM),
           second = Make(AF_INET, SOCK_DGRAM);
  ASSERT_EQ(Bind(first, Loopback(0)), 0);
  ASSERT_EQ(Bind(second, Loopback(0)), 0);
  SocketFd socket = Make(AF_INET, SOCK_DGRAM);
  for (const SocketFd* receiver : {&first, &second}) {
    const sockaddr_in to = system().AddressOf(receiver->get());
    ASSERT_EQ(ConnectTo(socket, to), 0);
    EXPECT_TRUE(Peer(socket.get()) == to);
    EXPECT_EQ(system().Send(socket.get(), "hello"), 5);
    EXPECT_EQ(system().Receive(receiver->get(), 64), "hello");
  }
  EXPECT_EQ(system().AddressOf(socket.get()).sin_addr.s_addr,
            htonl(INADDR_LOOPBACK))
      << "it has an address by being connected";
  EXPECT_NE(system().AddressOf(socket.get()).sin_port, 0);
}

// The unspecified address is this machine.
TEST_P(SocketNameCalls, ConnectToTheUnspecifiedAddressIsToTheLoopback) {
  SocketFd receiver = Make(AF_INET, SOCK_DGRAM);
  ASSERT_EQ(Bind(receiver, Ipv4(INADDR_ANY, 0)), 0);
  const uint16_t port = ntohs(system().AddressOf(receiver.get()).sin_port);
  SocketFd socket = Make(AF_INET, SOCK_DGRAM);
  ASSERT_EQ(ConnectTo(socket, Ipv4(INADDR_ANY, port)), 0);
  EXPECT_TRUE(Peer(socket.get()) == Loopback(port));
  EXPECT_EQ(system().Send(socket.get(), "ping"), 4);
  EXPECT_EQ(system().Receive(receiver.get(), 64), "ping");
  EXPECT_EQ(
      system().SendTo(receiver.get(), "pong", system().AddressOf(socket.get())),
      4);
  EXPECT_EQ(system().Receive(socket.get(), 64), "pong")
      << "it is from its peer";
}

TEST_P(SocketNameCalls, ConnectRefusesWhatIsNotThere) {
  const std::string directory = system().Directory();
  SocketFd stream = Make(AF_UNIX, SOCK_STREAM);
  ASSERT_EQ(Bind(stream, UnixName(directory + "/stream")), 0);
  {
    SocketFd gone = Make(AF_UNIX, SOCK_DGRAM);
    ASSERT_EQ(Bind(gone, UnixName(directory + "/gone")), 0);
  }
  SocketFd unix_socket = Make(AF_UNIX, SOCK_DGRAM);
  EXPECT_EQ(ConnectTo(unix_socket, UnixName(directory + "/no")), -ENOENT);
  EXPECT_EQ(ConnectTo(unix_socket, UnixName(directory + "/gone")),
            -ECONNREFUSED);
  EXPECT_EQ(ConnectTo(unix_socket, UnixName(directory + "/stream")),
            -EPROTOTYPE);
  EXPECT_EQ(PeerError(unix_socket.get()), -ENOTCONN);
  SocketFd udp = Make(AF_INET, SOCK_DGRAM);
  EXPECT_EQ(ConnectTo(udp, UnixName("/of-another-family")), -EAFNOSUPPORT);
  EXPECT_EQ(ConnectTo(udp, UnixName("/short")), -EINVAL) << "no IPv4 address";
  EXPECT_EQ(PeerError(udp.get()), -ENOTCONN);
}

// --- Names.

TEST_P(SocketNameCalls, AUnixNameIsReadBackExactly) {
  const std::string path = system().Directory() + "/s";
  const std::string abstract =
      absl::StrCat(std::string_view("\0ringway-name-", 14), getpid());
  for (const std::string& name : {path, abstract}) {
    SocketFd socket = Make(AF_UNIX, SOCK_STREAM);
    EXPECT_EQ(NameOf(socket.get()), "");
    ASSERT_EQ(Bind(socket, UnixName(name)), 0);
    EXPECT_EQ(NameOf(socket.get()), name);
    EXPECT_EQ(PeerError(socket.get()), -ENOTCONN);
  }
}

// A path is not: nothing but its socket can have it.
TEST_P(SocketNameCalls, AnAbstractNameIsThatOfOneTypeOfSocket) {
  const UnixName name(
      absl::StrCat(std::string_view("\0ringway-type-", 14), getpid()));
  SocketFd stream = Make(AF_UNIX, SOCK_STREAM);
  ASSERT_EQ(Bind(stream, name), 0);
  SocketFd datagram = Make(AF_UNIX, SOCK_DGRAM);
  SocketFd client = Make(AF_UNIX, SOCK_DGRAM);
  EXPECT_EQ(ConnectTo(client, name), -ECONNREFUSED);
  EXPECT_EQ(Bind(datagram, name), 0);
  EXPECT_EQ(ConnectTo(client, name), 0);
  datagram.Close();
  EXPECT_EQ(TryBind(name), -EADDRINUSE) << "the stream's is its own";
}

TEST_P(SocketNameCalls, AnIPv4ConnectionHasTheNamesOfBothEnds) {
  Streams streams = Connect();
  EXPECT_TRUE(Peer(streams.near_end.get()) ==
              system().AddressOf(streams.far_end.get()));
  EXPECT_TRUE(Peer(streams.far_end.get()) ==
              system().AddressOf(streams.near_end.get()));
}

TEST_P(SocketNameCalls, AConnectionHasAPeerUntilBothSidesHaveEnded) {
  Streams streams = Connect();
  const sockaddr_in peer = Peer(streams.near_end.get());
  streams.far_end.Reset();
  EXPECT_TRUE(Becomes([&] { return system().AtEnd(streams.near_end.get()); }));
  EXPECT_TRUE(Peer(streams.near_end.get()) == peer);
  EXPECT_EQ(system().ShutdownWrite(streams.near_end.get()), 0);
  EXPECT_TRUE(
      Becomes([&] { return PeerError(streams.near_end.get()) == -ENOTCONN; }));

  Streams other = Connect();
  EXPECT_EQ(system().ShutdownWrite(other.near_end.get()), 0);
  EXPECT_TRUE(Becomes([&] { return system().AtEnd(other.far_end.get()); }));
  EXPECT_EQ(PeerError(other.near_end.get()), 0) << "the other side goes on";
}

TEST_P(SocketNameCalls, AConnectionThatWasResetHasNoPeer) {
  Streams streams = Connect();
  system().ResetPeer(std::move(streams.far_end));
  EXPECT_TRUE(
      Becomes([&] { return PeerError(streams.near_end.get()) == -ENOTCONN; }));
}

TEST_P(SocketNameCalls, APairHasAPeerWithoutAName) {
  int fds[2];
  ASSERT_EQ(calls().Pair(SOCK_STREAM, fds), 0);
  SocketFd first(calls(), fds[0]), second(calls(), fds[1]);
  sockaddr_storage name = {};
  socklen_t length = 0;
  EXPECT_EQ(calls().PeerName(first.get(), name, length), 0);
  EXPECT_EQ(name.ss_family, AF_UNIX);
  EXPECT_EQ(length, sizeof(sa_family_t));
}

// --- Removing the names of sockets that are gone.

TEST_P(SocketNameCalls, AStaleNameIsRemovedAndNothingElse) {
  const std::string directory = system().Directory();
  const UnixName name(directory + "/s");
  EXPECT_EQ(RemoveStale(name), 0) << "there is nothing";
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    SocketFd socket = Make(AF_UNIX, type);
    ASSERT_EQ(Bind(socket, name), 0);
    EXPECT_EQ(RemoveStale(name), 0);
    EXPECT_EQ(TryBind(name), -EADDRINUSE) << "it lives, and does not listen";
    socket.Close();
    EXPECT_EQ(TryBind(name), -EADDRINUSE) << "nothing has removed it yet";
    EXPECT_EQ(RemoveStale(name), 0);
    EXPECT_EQ(TryBind(name), 0);
    EXPECT_EQ(RemoveStale(name), 0);  // that of TryBind()
  }
  EXPECT_EQ(RemoveStale(UnixName(directory)), -EEXIST);
  EXPECT_EQ(TryBind(UnixName(directory)), -EADDRINUSE);
  EXPECT_EQ(RemoveStale(UnixName(directory + "/no/s")), 0);
  EXPECT_EQ(RemoveStale(UnixName(directory + "/s/s")), 0);
}

TEST_P(SocketNameCalls, AListenersNameStaysAndItNeverHearsOfIt) {
  const UnixName name(system().Directory() + "/s");
  SocketFd listener = Make(AF_UNIX, SOCK_STREAM);
  ASSERT_EQ(Bind(listener, name), 0);
  ASSERT_EQ(calls().Listen(listener.get(), 1), 0);
  EXPECT_EQ(RemoveStale(name), 0);
  EXPECT_EQ(TryBind(name), -EADDRINUSE);
  EXPECT_FALSE(system().Accept(listener.get()).valid());
}

TEST_P(SocketNameCalls, ASymbolicLinkToAStaleNameStays) {
  const std::string directory = system().Directory();
  const UnixName name(directory + "/s"), link(directory + "/link");
  ASSERT_EQ(TryBind(name), 0);
  CountedOperation make_link;
  PrepareSymlink(make_link, name.address.sun_path, AT_FDCWD,
                 link.address.sun_path);
  ASSERT_EQ(driver().RunToEnd(make_link), 0);
  EXPECT_EQ(RemoveStale(link), -EEXIST);
  EXPECT_EQ(TryBind(link), -EADDRINUSE);
  EXPECT_EQ(TryBind(name), -EADDRINUSE) << "nor is what it points to removed";
}

// Asking and removing is one step, under a lock that others may keep.
TEST_P(SocketNameCalls, AStaleNameStaysWhileItsDirectoryIsLocked) {
  RINGWAY_REQUIRES_KERNEL("file locks");
  const std::string directory = system().Directory();
  const UnixName name(directory + "/s");
  TestFd lock = system().Own(open(directory.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(flock(lock.get(), LOCK_EX), 0);
  EXPECT_EQ(RemoveStale(name), 0) << "there is nothing to be locked for";
  ASSERT_EQ(TryBind(name), 0);
  EXPECT_EQ(RemoveStale(name), -EAGAIN);
  EXPECT_EQ(TryBind(name), -EADDRINUSE);
  lock.Reset();
  EXPECT_EQ(RemoveStale(name), 0);
  EXPECT_EQ(TryBind(name), 0);
}

TEST_P(SocketNameCalls, AnAbstractNameIsNeverStale) {
  const UnixName name(
      absl::StrCat(std::string_view("\0ringway-stale-", 15), getpid()));
  SocketFd socket = Make(AF_UNIX, SOCK_STREAM);
  ASSERT_EQ(Bind(socket, name), 0);
  EXPECT_EQ(RemoveStale(name), 0);
  EXPECT_EQ(TryBind(name), -EADDRINUSE);
  socket.Close();
  EXPECT_EQ(TryBind(name), 0) << "it went with its socket";
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(SocketNameCalls);

}  // namespace
}  // namespace ringway::testing
