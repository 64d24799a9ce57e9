// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/listening/listen_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/backends/testing/system.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/testing/paths.h"

namespace ringway::net {
namespace {

using ringway::testing::TestFd;
using testing::NetTest;
using testing::Paths;
using testing::ValueOf;

SocketAddress Address(std::string_view text) {
  return ValueOf(SocketAddress::Parse(text));
}

// The sockets under test are those of the backend, in its mode; what connects
// to them and accepts is in blocking mode.
class ListenSocketTest : public NetTest {
 protected:
  SocketCalls& sockets() { return loop().backend().sockets(); }

  absl::StatusOr<SocketFd> Make(
      const SocketAddress& address,
      const ListenOptions& options = ListenOptions()) {
    return MakeListenSocket(sockets(), address, options);
  }
  absl::StatusOr<SocketFd> MakeOnLoopback(
      const ListenOptions& options = ListenOptions()) {
    return Make(Address("127.0.0.1:0"), options);
  }

  SocketAddress AddressOf(const SocketFd& fd) {
    return ValueOf(SocketAddress::LocalOf(sockets(), fd.get()));
  }

  // The peer of a connection to `address`, which must have room for one.
  // Holds -errno if it cannot be made.
  SocketFd ConnectTo(const SocketAddress& address) {
    SocketCalls& calls = system().sockets();
    SocketFd fd(calls, calls.Socket(address.family(), SOCK_STREAM));
    const int error = calls.Connect(fd.get(), address.data(), address.size());
    return error == 0 ? std::move(fd) : SocketFd(calls, error);
  }
  int ConnectErrno(const SocketAddress& address) {
    const SocketFd fd = ConnectTo(address);
    return fd.valid() ? 0 : -fd.get();
  }

  int IntOption(int fd, int level, int option) {
    int value = -1;
    socklen_t length = sizeof(value);
    EXPECT_EQ(sockets().GetOption(fd, level, option, &value, length), 0);
    return value;
  }
};

using ListenSocket = ListenSocketTest;

TEST_P(ListenSocket, ResolvesPortZeroAndTakesConnections) {
  SocketFd fd = ValueOf(MakeOnLoopback());
  EXPECT_NE(AddressOf(fd).port(), 0);
  EXPECT_EQ(ConnectErrno(AddressOf(fd)), 0);
  EXPECT_TRUE(system().IsCloseOnExec(fd.get()));
}

TEST_P(ListenSocket, NamesTheAddressThatIsInUse) {
  SocketFd first = ValueOf(MakeOnLoopback());
  const absl::Status status = Make(AddressOf(first)).status();
  EXPECT_EQ(ErrnoOf(status), EADDRINUSE);
  EXPECT_TRUE(absl::StrContains(status.message(), AddressOf(first).ToString()))
      << status;
}

TEST_P(ListenSocket, RefusesAnAddressOfSomebodyElse) {
  const absl::Status status = Make(Address("192.0.2.1:0")).status();
  EXPECT_EQ(ErrnoOf(status), EADDRNOTAVAIL);
  EXPECT_TRUE(absl::StrContains(status.message(), "192.0.2.1:0")) << status;
}

TEST_P(ListenSocket, RefusesNoAddressAtAll) {
  EXPECT_EQ(ErrnoOf(Make(SocketAddress()).status()), EAFNOSUPPORT);
}

TEST_P(ListenSocket, BindsAtOnceToAPortWhoseConnectionsLinger) {
  SocketFd first = ValueOf(MakeOnLoopback());
  const SocketAddress address = AddressOf(first);
  {
    SocketFd client = ConnectTo(address);
    ASSERT_TRUE(client.valid());
    // Our side closes first and keeps the connection in TIME_WAIT.
    TestFd accepted = system().Accept(first.get());
    ASSERT_TRUE(accepted.valid());
  }
  first.Close();
  EXPECT_TRUE(Make(address).ok());
}

TEST_P(ListenSocket, SharesAPortAmongThoseWhoAskForIt) {
  ListenOptions sharing;
  sharing.reuse_port = true;
  SocketFd first = ValueOf(MakeOnLoopback(sharing));
  EXPECT_TRUE(Make(AddressOf(first), sharing).ok());
  EXPECT_EQ(ErrnoOf(Make(AddressOf(first)).status()), EADDRINUSE);
}

TEST_P(ListenSocket, ClaimingAPortRefusesToJoinAnotherGroupAndLetsOthersJoin) {
  ListenOptions sharing;
  sharing.reuse_port = true;
  ListenOptions claiming = sharing;
  claiming.claim_port = true;
  SocketFd first = ValueOf(MakeOnLoopback(claiming));
  const SocketAddress address = AddressOf(first);
  EXPECT_EQ(ErrnoOf(Make(address, claiming).status()), EADDRINUSE);
  absl::StatusOr<SocketFd> second = Make(address, sharing);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(ErrnoOf(Make(address, claiming).status()), EADDRINUSE);

  // Connections are spread over the group: of 64, each gets some.
  std::vector<SocketFd> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(ConnectTo(address));
    ASSERT_TRUE(clients[i].valid());
  }
  for (const SocketFd* fd : {&first, &*second})
    EXPECT_TRUE(system().Accept(fd->get()).valid());
}

TEST_P(ListenSocket, TakesIPv4OnAnIPv6SocketUnlessToldNotTo) {
  RINGWAY_REQUIRES_KERNEL("IPv6");
  SocketFd dual = ValueOf(Make(Address("[::]:0")));
  const SocketAddress v4 = Address("127.0.0.1:0");
  EXPECT_EQ(ConnectErrno(v4.WithPort(AddressOf(dual).port())), 0);

  ListenOptions only_v6;
  only_v6.v6_only = true;
  SocketFd v6 = ValueOf(Make(Address("[::]:0"), only_v6));
  EXPECT_EQ(ConnectErrno(v4.WithPort(AddressOf(v6).port())), ECONNREFUSED);
  EXPECT_EQ(ConnectErrno(Address("[::1]:0").WithPort(AddressOf(v6).port())), 0);
}

TEST_P(ListenSocket, AcceptedSocketsInheritNoDelay) {
  for (const bool no_delay : {true, false}) {
    ListenOptions options;
    options.no_delay = no_delay;
    SocketFd fd = ValueOf(MakeOnLoopback(options));
    SocketFd client = ConnectTo(AddressOf(fd));
    ASSERT_TRUE(client.valid());
    TestFd accepted = system().Accept(fd.get());
    ASSERT_TRUE(accepted.valid());
    EXPECT_EQ(IntOption(accepted.get(), IPPROTO_TCP, TCP_NODELAY) != 0,
              no_delay);
  }
}

TEST_P(ListenSocket, RemovesAUnixSocketThatNobodyListensOnAnyMore) {
  const SocketAddress address = Address(UnixAddress("s"));
  ValueOf(Make(address)).Close();
  ASSERT_EQ(ConnectErrno(address), ECONNREFUSED) << "the file is still there";
  SocketFd second = ValueOf(Make(address));
  EXPECT_EQ(ConnectErrno(address), 0);
}

// It used to be removed: a second server silently took over the first one's
// path, and the first received no more connections.
TEST_P(ListenSocket, LeavesAUnixSocketAloneThatSomebodyListensOn) {
  const SocketAddress address = Address(UnixAddress("s"));
  SocketFd first = ValueOf(Make(address));
  const absl::Status status = Make(address).status();
  EXPECT_EQ(ErrnoOf(status), EADDRINUSE);
  EXPECT_TRUE(absl::StrContains(status.message(), address.ToString()))
      << status;
  EXPECT_FALSE(system().Accept(first.get()).valid())
      << "it has heard of the attempt";
  SocketFd client = ConnectTo(address);
  ASSERT_TRUE(client.valid());
  EXPECT_TRUE(system().Accept(first.get()).valid());
}

TEST_P(ListenSocket, LeavesARegularFileAtAUnixPathAlone) {
  Paths paths(system(), Options());
  paths.MakeFile(PathOf("precious"), "data");
  EXPECT_EQ(ErrnoOf(Make(Address(UnixAddress("precious"))).status()),
            EADDRINUSE);
  EXPECT_EQ(paths.TypeOf(PathOf("precious")), mode_t{S_IFREG});
  EXPECT_EQ(paths.Content(PathOf("precious")), "data");
}

TEST_P(ListenSocket, LeavesASymbolicLinkToASocketAlone) {
  Paths paths(system(), Options());
  ValueOf(Make(Address(UnixAddress("s")))).Close();
  paths.MakeLink(PathOf("s"), PathOf("link"));
  EXPECT_EQ(ErrnoOf(Make(Address(UnixAddress("link"))).status()), EADDRINUSE);
  EXPECT_EQ(paths.TypeOf(PathOf("link")), mode_t{S_IFLNK});
  EXPECT_EQ(paths.TypeOf(PathOf("s")), mode_t{S_IFSOCK});
}

TEST_P(ListenSocket, ReportsADirectoryThatDoesNotExist) {
  EXPECT_EQ(ErrnoOf(Make(Address(UnixAddress("no/s"))).status()), ENOENT);
}

TEST_P(ListenSocket, RefusesAnAbstractNameInUse) {
  const SocketAddress address =
      Address(absl::StrCat("unix:@ringway-listen-", getpid()));
  SocketFd first = ValueOf(Make(address));
  EXPECT_EQ(ErrnoOf(Make(address).status()), EADDRINUSE);
  first.Close();
  EXPECT_TRUE(Make(address).ok());
}

TEST_P(ListenSocket, DuplicatesAreOneSocketAndCloseOnExec) {
  SocketFd fd = ValueOf(MakeOnLoopback());
  SocketFd duplicate = ValueOf(DuplicateSocket(fd));
  EXPECT_TRUE(system().IsCloseOnExec(duplicate.get()));
  const SocketAddress address = AddressOf(fd);
  fd.Close();
  EXPECT_EQ(ConnectErrno(address), 0);
  EXPECT_EQ(ErrnoOf(DuplicateSocket(fd).status()), EBADF);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(ListenSocket);

using StreamSocket = ListenSocketTest;

TEST_P(StreamSocket, SendsSmallWritesAtOnce) {
  SocketFd tcp = ValueOf(
      MakeStreamSocket(sockets(), Address("127.0.0.1:0"), ConnectOptions()));
  EXPECT_NE(IntOption(tcp.get(), IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_TRUE(system().IsCloseOnExec(tcp.get()));
  EXPECT_TRUE(
      MakeStreamSocket(sockets(), Address("unix:@x"), ConnectOptions()).ok());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(StreamSocket);

}  // namespace
}  // namespace ringway::net
