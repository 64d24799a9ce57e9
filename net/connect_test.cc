// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/connect.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/backends/testing/system.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/sleep.h"
#include "ringway/net/listening/listen_socket.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/testing/paths.h"

namespace ringway::net {
namespace {

using ringway::testing::TestFd;
using ringway::testing::TestFdPair;
using testing::Bytes;
using testing::NetTest;
using testing::Paths;
using testing::TurnTimes;
using testing::TurnUntil;
using testing::ValueOf;

SocketAddress Address(std::string_view text) {
  return ValueOf(SocketAddress::Parse(text));
}

Task<absl::Status> ConnectOnly(SocketAddress address) {
  absl::StatusOr<TcpStream> stream = co_await Connect(address);
  co_return stream.status();
}

class ConnectTest : public NetTest {
 protected:
  // The errno of connect(2) itself.
  int ConnectErrno(const SocketAddress& address) {
    SocketCalls& sockets = system().sockets();
    SocketFd fd(sockets, sockets.Socket(address.family(), SOCK_STREAM));
    return -sockets.Connect(fd.get(), address.data(), address.size());
  }

  SocketAddress AddressOf(const TestFd& fd) {
    return ValueOf(SocketAddress::LocalOf(system().sockets(), fd.get()));
  }

  // The address of a port that was free a moment ago.
  SocketAddress FreePort(std::string_view any_port) {
    TcpListener listener = ListenOn(any_port);
    return ValueOf(listener.LocalAddress());
  }

  // Fails at once like connect(2), with its errno.
  Task<void> ExpectFailure(SocketAddress address, int errnum) {
    const size_t fds_before = OpenFds();
    const absl::Status status = co_await ConnectOnly(address);
    EXPECT_EQ(ErrnoOf(status), errnum) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), address.ToString()))
        << status;
    EXPECT_EQ(OpenFds(), fds_before);
  }
};

TEST_P(ConnectTest, ReportsARefusal) {
  Run(ExpectFailure(FreePort("127.0.0.1:0"), ECONNREFUSED));
}

TEST_P(ConnectTest, ReportsARefusalOverIPv6) {
  RINGWAY_REQUIRES_KERNEL("IPv6");
  Run(ExpectFailure(FreePort("[::1]:0"), ECONNREFUSED));
}

TEST_P(ConnectTest, ReportsWhatIsWrongWithAUnixPath) {
  Paths(system(), Options()).MakeFile(PathOf("file"), "");
  auto main = [&]() -> Task<void> {
    const auto at = [&](std::string_view name) {
      return Address(UnixAddress(name));
    };
    co_await ExpectFailure(at("nothing"), ENOENT);
    co_await ExpectFailure(at("no/directory"), ENOENT);
    co_await ExpectFailure(at("file"), ECONNREFUSED);
    co_await ExpectFailure(at("file/below"), ENOTDIR);
    co_await ExpectFailure(at(""), ECONNREFUSED);

    { TcpListener listener = ListenOn(UnixAddress("socket")); }
    co_await TurnTimes(3);
    co_await ExpectFailure(at("socket"), ECONNREFUSED);
    co_await ExpectFailure(Address("unix:@ringway-nobody-listens-here"),
                           ECONNREFUSED);
  };
  Run(main());
}

TEST(ConnectToAnOverlongPath, IsRefusedBeforeThereIsASocket) {
  EXPECT_EQ(SocketAddress::Unix(std::string(108, 'p')).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// TCP has a single receiver, whatever the machine's routes are.
TEST_P(ConnectTest, ReportsThatManyCannotBeReached) {
  auto main = [&]() -> Task<void> {
    for (const char* text : {"255.255.255.255:1", "224.0.0.1:1"}) {
      EXPECT_EQ(ConnectErrno(Address(text)), ENETUNREACH) << text;
      co_await ExpectFailure(Address(text), ENETUNREACH);
    }
  };
  Run(main());
}

TEST_P(ConnectTest, ReportsTheSameAsConnectForWhatCannotBeReached) {
  RINGWAY_REQUIRES_KERNEL("IPv6");
  auto main = [&]() -> Task<void> {
    // Which errno depends on the machine's routes; that both agree does not.
    for (const char* text : {"[ff02::1%lo]:1", "[fe80::1]:1"}) {
      const SocketAddress address = Address(text);
      const int errnum = ConnectErrno(address);
      EXPECT_NE(errnum, 0) << text;
      co_await ExpectFailure(address, errnum);
    }
  };
  Run(main());
}

TEST_P(ConnectTest, ReportsAnAddressOfNoFamily) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = OpenFds();
    const absl::Status status = co_await ConnectOnly(SocketAddress());
    EXPECT_EQ(ErrnoOf(status), EAFNOSUPPORT) << status;
    EXPECT_EQ(OpenFds(), fds_before);
  };
  Run(main());
}

TEST_P(ConnectTest, TheUnspecifiedAddressIsThisMachine) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    const uint16_t port = ValueOf(listener.LocalAddress()).port();
    EXPECT_TRUE(
        (co_await ConnectOnly(Address("0.0.0.0:0").WithPort(port))).ok());
  };
  Run(main());
}

TEST_P(ConnectTest, TheStreamIsReadyForUse) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    TcpStream client =
        ValueOf(co_await Connect(ValueOf(listener.LocalAddress())));
    EXPECT_TRUE(system().IsCloseOnExec(client.fd()));
    // Before it is accepted.
    EXPECT_TRUE((co_await client.Write(Bytes("early"))).ok());
    TcpStream server = ValueOf(co_await listener.Accept());
    EXPECT_EQ(co_await testing::ReadExactly(server, 5), "early");
  };
  Run(main());
}

TEST_P(ConnectTest, ManyAtOnceAllSucceed) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    const SocketAddress address = ValueOf(listener.LocalAddress());
    std::vector<JoinHandle<absl::Status>> connects;
    for (int i = 0; i < 200; ++i)
      connects.push_back(Spawn(ConnectOnly(address)));
    for (int i = 0; i < 200; ++i)
      EXPECT_TRUE((co_await listener.Accept()).ok());
    for (JoinHandle<absl::Status>& connect : connects)
      EXPECT_TRUE((co_await connect).ok());
  };
  Run(main());
}

TEST_P(ConnectTest, ACancelledConnectEndsOnceAndLeavesNoFd) {
  auto main = [&]() -> Task<void> {
    TestFd listener = system().TcpListener(/*backlog=*/0);
    const SocketAddress address = AddressOf(listener);
    TestFdPair fill = system().FillAcceptQueue(listener.get());
    const size_t fds_before = OpenFds();
    for (int turns = 0; turns < 6; ++turns) {
      JoinHandle<absl::Status> connect = Spawn(ConnectOnly(address));
      co_await TurnTimes(turns);
      EXPECT_FALSE(connect.done()) << "the queue is full";
      connect.Cancel();
      EXPECT_TRUE(absl::IsCancelled(co_await connect));
      EXPECT_EQ(OpenFds(), fds_before);
    }
  };
  Run(main());
}

TEST_P(ConnectTest, AConnectThatHangsEndsAtItsDeadline) {
  auto main = [&]() -> Task<void> {
    TestFd listener = system().TcpListener(/*backlog=*/0);
    TestFdPair fill = system().FillAcceptQueue(listener.get());
    Task<absl::Status> connect = ConnectOnly(AddressOf(listener));
    EXPECT_TRUE(absl::IsDeadlineExceeded(
        co_await WithTimeout(absl::Milliseconds(20), std::move(connect))));
  };
  Run(main());
}

// A Unix connect to a full queue waits in the kernel, not for readiness.
TEST_P(ConnectTest, AUnixConnectThatHangsCanBeCancelled) {
  auto main = [&]() -> Task<void> {
    ListenOptions options;
    options.backlog = 0;
    const SocketAddress address = Address(UnixAddress("s"));
    SocketCalls& sockets = system().sockets();
    SocketFd listener = ValueOf(MakeListenSocket(sockets, address, options));
    SocketFd first(sockets, sockets.Socket(AF_UNIX, SOCK_STREAM));
    EXPECT_EQ(sockets.Connect(first.get(), address.data(), address.size()), 0);
    JoinHandle<absl::Status> hanging = Spawn(ConnectOnly(address));
    EXPECT_TRUE((co_await Sleep(absl::Milliseconds(20))).ok());
    EXPECT_FALSE(hanging.done());
    const uint64_t turns_before = loop().stats().turns;
    EXPECT_TRUE((co_await Sleep(absl::Milliseconds(50))).ok());
    EXPECT_LE(loop().stats().turns - turns_before, 10u) << "it spins";
    hanging.Cancel();
    EXPECT_TRUE(absl::IsCancelled(co_await hanging));
  };
  Run(main());
}

TEST_P(ConnectTest, CancelsThatRaceTheConnectionLeakNothing) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    const SocketAddress address = ValueOf(listener.LocalAddress());
    auto accept_all = [&]() -> Task<void> {
      while ((co_await listener.Accept()).ok()) continue;
    };
    JoinHandle<void> accepting = Spawn(accept_all());
    co_await TurnTimes(2);
    const size_t fds_before = OpenFds();
    for (int round = 0; round < 300; ++round) {
      JoinHandle<absl::Status> connect = Spawn(ConnectOnly(address));
      co_await TurnTimes(round % 3);
      connect.Cancel();
      const absl::Status status = co_await connect;
      EXPECT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
    }
    co_await TurnUntil([&] { return OpenFds() == fds_before; });
    listener.Close();
    EXPECT_TRUE((co_await accepting).ok());
  };
  Run(main());
}

TEST_P(ConnectTest, AnExecutorCanEndWithConnectsInFlight) {
  TestFd listener = system().TcpListener(/*backlog=*/0);
  TestFdPair fill = system().FillAcceptQueue(listener.get());
  auto main = [&]() -> Task<void> {
    const SocketAddress address = AddressOf(listener);
    for (int i = 0; i < 20; ++i) Spawn(ConnectOnly(address)).Detach();
    co_await TurnTimes(3);
    for (int i = 0; i < 20; ++i) Spawn(ConnectOnly(address)).Detach();
  };
  Run(main());
  DestroyExecutor();
}

TEST_P(ConnectTest, AConnectThatIsNeverAwaitedLeavesNoFd) {
  const size_t fds_before = OpenFds();
  { ConnectOp op = Connect(Address("127.0.0.1:1")); }
  EXPECT_EQ(OpenFds(), fds_before);
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(ConnectTest);

}  // namespace
}  // namespace ringway::net
