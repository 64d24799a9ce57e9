// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/listen_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/testing/kernel_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::KernelSockets;

using testing::ShortDirectory;
using testing::ValueOf;

SocketAddress Address(std::string_view text) {
  return ValueOf(SocketAddress::Parse(text));
}

SocketAddress AddressOf(const SocketFd& fd) {
  return ValueOf(SocketAddress::LocalOf(KernelSockets(), fd.get()));
}

int ConnectErrno(const SocketAddress& address) {
  UniqueFd fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  return connect(fd.get(), address.data(), address.size()) == 0 ? 0 : errno;
}

int IntOption(int fd, int level, int option) {
  int value = -1;
  socklen_t length = sizeof(value);
  EXPECT_EQ(getsockopt(fd, level, option, &value, &length), 0);
  return value;
}

TEST(ListenSocket, ResolvesPortZeroAndTakesConnections) {
  SocketFd fd = ValueOf(MakeListenSocket(
      KernelSockets(), Address("127.0.0.1:0"), ListenOptions()));
  EXPECT_NE(AddressOf(fd).port(), 0);
  EXPECT_EQ(ConnectErrno(AddressOf(fd)), 0);
  EXPECT_NE(fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(ListenSocket, NamesTheAddressThatIsInUse) {
  SocketFd first = ValueOf(MakeListenSocket(
      KernelSockets(), Address("127.0.0.1:0"), ListenOptions()));
  const absl::Status status =
      MakeListenSocket(KernelSockets(), AddressOf(first), ListenOptions())
          .status();
  EXPECT_EQ(ErrnoOf(status), EADDRINUSE);
  EXPECT_TRUE(absl::StrContains(status.message(), AddressOf(first).ToString()))
      << status;
}

TEST(ListenSocket, RefusesAnAddressOfSomebodyElse) {
  const absl::Status status =
      MakeListenSocket(KernelSockets(), Address("192.0.2.1:0"), ListenOptions())
          .status();
  EXPECT_EQ(ErrnoOf(status), EADDRNOTAVAIL);
  EXPECT_TRUE(absl::StrContains(status.message(), "192.0.2.1:0")) << status;
}

TEST(ListenSocket, RefusesNoAddressAtAll) {
  EXPECT_FALSE(
      MakeListenSocket(KernelSockets(), SocketAddress(), ListenOptions()).ok());
}

TEST(ListenSocket, BindsAtOnceToAPortWhoseConnectionsLinger) {
  SocketFd first = ValueOf(MakeListenSocket(
      KernelSockets(), Address("127.0.0.1:0"), ListenOptions()));
  const SocketAddress address = AddressOf(first);
  {
    UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(connect(client.get(), address.data(), address.size()), 0);
    // Our side closes first and keeps the connection in TIME_WAIT.
    UniqueFd accepted(accept4(first.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_TRUE(accepted.valid());
  }
  first.Close();
  EXPECT_TRUE(MakeListenSocket(KernelSockets(), address, ListenOptions()).ok());
}

TEST(ListenSocket, SharesAPortAmongThoseWhoAskForIt) {
  ListenOptions sharing;
  sharing.reuse_port = true;
  SocketFd first = ValueOf(
      MakeListenSocket(KernelSockets(), Address("127.0.0.1:0"), sharing));
  EXPECT_TRUE(
      MakeListenSocket(KernelSockets(), AddressOf(first), sharing).ok());
  EXPECT_EQ(ErrnoOf(MakeListenSocket(KernelSockets(), AddressOf(first),
                                     ListenOptions())
                        .status()),
            EADDRINUSE);
}

TEST(ListenSocket, ClaimingAPortRefusesToJoinAnotherGroupAndLetsOthersJoin) {
  ListenOptions sharing;
  sharing.reuse_port = true;
  ListenOptions claiming = sharing;
  claiming.claim_port = true;
  SocketFd first = ValueOf(
      MakeListenSocket(KernelSockets(), Address("127.0.0.1:0"), claiming));
  const SocketAddress address = AddressOf(first);
  EXPECT_EQ(
      ErrnoOf(MakeListenSocket(KernelSockets(), address, claiming).status()),
      EADDRINUSE);
  absl::StatusOr<SocketFd> second =
      MakeListenSocket(KernelSockets(), address, sharing);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(
      ErrnoOf(MakeListenSocket(KernelSockets(), address, claiming).status()),
      EADDRINUSE);

  // The kernel spreads connections over the group: of 64, each gets some.
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 64; ++i) {
    clients.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(connect(clients[i].get(), address.data(), address.size()), 0);
  }
  for (const SocketFd* fd : {&first, &*second}) {
    ASSERT_EQ(fcntl(fd->get(), F_SETFL, O_NONBLOCK), 0);
    EXPECT_TRUE(UniqueFd(accept(fd->get(), nullptr, nullptr)).valid());
  }
}

TEST(ListenSocket, TakesIPv4OnAnIPv6SocketUnlessToldNotTo) {
  SocketFd dual = ValueOf(
      MakeListenSocket(KernelSockets(), Address("[::]:0"), ListenOptions()));
  const SocketAddress v4 = Address("127.0.0.1:0");
  EXPECT_EQ(ConnectErrno(v4.WithPort(AddressOf(dual).port())), 0);

  ListenOptions only_v6;
  only_v6.v6_only = true;
  SocketFd v6 =
      ValueOf(MakeListenSocket(KernelSockets(), Address("[::]:0"), only_v6));
  EXPECT_EQ(ConnectErrno(v4.WithPort(AddressOf(v6).port())), ECONNREFUSED);
  EXPECT_EQ(ConnectErrno(Address("[::1]:0").WithPort(AddressOf(v6).port())), 0);
}

TEST(ListenSocket, AcceptedSocketsInheritNoDelay) {
  for (const bool no_delay : {true, false}) {
    ListenOptions options;
    options.no_delay = no_delay;
    SocketFd fd = ValueOf(
        MakeListenSocket(KernelSockets(), Address("127.0.0.1:0"), options));
    const SocketAddress address = AddressOf(fd);
    UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(connect(client.get(), address.data(), address.size()), 0);
    UniqueFd accepted(accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_EQ(IntOption(accepted.get(), IPPROTO_TCP, TCP_NODELAY) != 0,
              no_delay);
  }
}

TEST(ListenSocket, RemovesAUnixSocketThatNobodyListensOnAnyMore) {
  ShortDirectory directory;
  const SocketAddress address =
      Address(absl::StrCat("unix:", directory.PathOf("s")));
  ValueOf(MakeListenSocket(KernelSockets(), address, ListenOptions())).Close();
  ASSERT_EQ(ConnectErrno(address), ECONNREFUSED) << "the file is still there";
  SocketFd second =
      ValueOf(MakeListenSocket(KernelSockets(), address, ListenOptions()));
  EXPECT_EQ(ConnectErrno(address), 0);
}

// It used to be removed: a second server took the first one's path away without
// a word, and the first listened on for nobody.
TEST(ListenSocket, LeavesAUnixSocketAloneThatSomebodyListensOn) {
  ShortDirectory directory;
  const SocketAddress address =
      Address(absl::StrCat("unix:", directory.PathOf("s")));
  SocketFd first =
      ValueOf(MakeListenSocket(KernelSockets(), address, ListenOptions()));
  const absl::Status status =
      MakeListenSocket(KernelSockets(), address, ListenOptions()).status();
  EXPECT_EQ(ErrnoOf(status), EADDRINUSE);
  EXPECT_TRUE(absl::StrContains(status.message(), address.ToString()))
      << status;
  // And it has heard nothing of the attempt.
  ASSERT_EQ(fcntl(first.get(), F_SETFL, O_NONBLOCK), 0);
  EXPECT_EQ(accept(first.get(), nullptr, nullptr), -1);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(ConnectErrno(address), 0);
}

TEST(ListenSocket, LeavesARegularFileAtAUnixPathAlone) {
  ShortDirectory directory;
  const std::string path = directory.PathOf("precious");
  UniqueFd file(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  ASSERT_EQ(write(file.get(), "data", 4), 4);
  const absl::Status status =
      MakeListenSocket(KernelSockets(), Address(absl::StrCat("unix:", path)),
                       ListenOptions())
          .status();
  EXPECT_EQ(ErrnoOf(status), EADDRINUSE);
  struct stat st;
  ASSERT_EQ(stat(path.c_str(), &st), 0);
  EXPECT_TRUE(S_ISREG(st.st_mode));
  EXPECT_EQ(st.st_size, 4);
}

TEST(ListenSocket, LeavesASymbolicLinkToASocketAlone) {
  ShortDirectory directory;
  const std::string target = directory.PathOf("s");
  const std::string link = directory.PathOf("link");
  ValueOf(MakeListenSocket(KernelSockets(),
                           Address(absl::StrCat("unix:", target)),
                           ListenOptions()))
      .Close();
  ASSERT_EQ(symlink(target.c_str(), link.c_str()), 0);
  EXPECT_EQ(ErrnoOf(MakeListenSocket(KernelSockets(),
                                     Address(absl::StrCat("unix:", link)),
                                     ListenOptions())
                        .status()),
            EADDRINUSE);
  struct stat st;
  EXPECT_EQ(lstat(link.c_str(), &st), 0);
}

TEST(ListenSocket, ReportsADirectoryThatDoesNotExist) {
  ShortDirectory directory;
  EXPECT_EQ(ErrnoOf(MakeListenSocket(KernelSockets(),
                                     Address(absl::StrCat(
                                         "unix:", directory.PathOf("no/s"))),
                                     ListenOptions())
                        .status()),
            ENOENT);
}

TEST(ListenSocket, RefusesAnAbstractNameInUse) {
  const SocketAddress address =
      Address(absl::StrCat("unix:@ringway-listen-", getpid()));
  SocketFd first =
      ValueOf(MakeListenSocket(KernelSockets(), address, ListenOptions()));
  EXPECT_EQ(
      ErrnoOf(
          MakeListenSocket(KernelSockets(), address, ListenOptions()).status()),
      EADDRINUSE);
}

TEST(ListenSocket, DuplicatesAreOneSocketAndCloseOnExec) {
  SocketFd fd = ValueOf(MakeListenSocket(
      KernelSockets(), Address("127.0.0.1:0"), ListenOptions()));
  SocketFd duplicate = ValueOf(DuplicateSocket(fd));
  EXPECT_NE(fcntl(duplicate.get(), F_GETFD) & FD_CLOEXEC, 0);
  const SocketAddress address = AddressOf(fd);
  fd.Close();
  EXPECT_EQ(ConnectErrno(address), 0);
  EXPECT_EQ(ErrnoOf(DuplicateSocket(fd).status()), EBADF);
}

TEST(StreamSocket, SendsSmallWritesAtOnce) {
  SocketFd tcp =
      ValueOf(MakeStreamSocket(KernelSockets(), Address("127.0.0.1:0")));
  EXPECT_NE(IntOption(tcp.get(), IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_NE(fcntl(tcp.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_TRUE(MakeStreamSocket(KernelSockets(), Address("unix:@x")).ok());
}

}  // namespace
}  // namespace ringway::net
