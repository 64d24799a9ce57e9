// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/connect.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/listen_socket.h"
#include "ringway/net/testing/kernel_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::CountOpenFds;
using ringway::testing::KernelSockets;
using testing::Bytes;
using testing::KernelNetTest;
using testing::ShortDirectory;
using testing::TurnTimes;
using testing::TurnUntil;
using testing::ValueOf;

SocketAddress Address(std::string_view text) {
  return ValueOf(SocketAddress::Parse(text));
}

// What connect(2) itself says.
int ConnectErrno(const SocketAddress& address) {
  UniqueFd fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  return connect(fd.get(), address.data(), address.size()) == 0 ? 0 : errno;
}

Task<absl::Status> ConnectOnly(SocketAddress address) {
  absl::StatusOr<TcpStream> stream = co_await Connect(address);
  co_return stream.status();
}

class ConnectTest : public KernelNetTest {
 protected:
  // Fails as connect(2) does, at once, and says with what.
  Task<void> ExpectFailure(SocketAddress address, int errnum) {
    const size_t fds_before = CountOpenFds();
    const absl::Status status = co_await ConnectOnly(address);
    EXPECT_EQ(ErrnoOf(status), errnum) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), address.ToString()))
        << status;
    EXPECT_EQ(CountOpenFds(), fds_before);
  }
};

TEST_F(ConnectTest, ReportsARefusal) {
  auto main = [&]() -> Task<void> {
    for (const char* any_port : {"127.0.0.1:0", "[::1]:0"}) {
      SocketAddress address;
      {  // a port that was free a moment ago
        TcpListener listener = ListenOn(any_port);
        address = ValueOf(listener.LocalAddress());
      }
      co_await ExpectFailure(address, ECONNREFUSED);
    }
  };
  Run(main());
}

TEST_F(ConnectTest, ReportsWhatIsWrongWithAUnixPath) {
  ShortDirectory directory;
  auto main = [&]() -> Task<void> {
    const auto at = [&](std::string_view name) {
      return Address(absl::StrCat("unix:", directory.PathOf(name)));
    };
    co_await ExpectFailure(at("nothing"), ENOENT);
    co_await ExpectFailure(at("no/directory"), ENOENT);

    UniqueFd file(open(directory.PathOf("file").c_str(),
                       O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    co_await ExpectFailure(at("file"), ECONNREFUSED);
    co_await ExpectFailure(at("file/below"), ENOTDIR);
    co_await ExpectFailure(Address(absl::StrCat("unix:", directory.PathOf(""))),
                           ECONNREFUSED);

    { TcpListener listener = ListenOn(at("socket").ToString()); }
    co_await TurnTimes(3);
    co_await ExpectFailure(at("socket"), ECONNREFUSED);
    co_await ExpectFailure(Address("unix:@ringway-nobody-listens-here"),
                           ECONNREFUSED);
  };
  Run(main());
}

TEST_F(ConnectTest, AnOverlongPathIsRefusedBeforeThereIsASocket) {
  EXPECT_EQ(SocketAddress::Unix(std::string(108, 'p')).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ConnectTest, ReportsTheSameAsConnectForWhatCannotBeReached) {
  auto main = [&]() -> Task<void> {
    // Which errno depends on the machine's routes; that both agree does not.
    for (const char* text : {"255.255.255.255:1", "[ff02::1%lo]:1",
                             "224.0.0.1:1", "[fe80::1]:1"}) {
      const SocketAddress address = Address(text);
      const int errnum = ConnectErrno(address);
      EXPECT_NE(errnum, 0) << text;
      co_await ExpectFailure(address, errnum);
    }
  };
  Run(main());
}

TEST_F(ConnectTest, ReportsAnAddressOfNoFamily) {
  auto main = [&]() -> Task<void> {
    const size_t fds_before = CountOpenFds();
    EXPECT_NE(ErrnoOf(co_await ConnectOnly(SocketAddress())), 0);
    EXPECT_EQ(CountOpenFds(), fds_before);
  };
  Run(main());
}

TEST_F(ConnectTest, TheUnspecifiedAddressIsThisMachine) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    const uint16_t port = ValueOf(listener.LocalAddress()).port();
    EXPECT_TRUE(
        (co_await ConnectOnly(Address("0.0.0.0:0").WithPort(port))).ok());
  };
  Run(main());
}

TEST_F(ConnectTest, TheStreamIsReadyForUse) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    TcpStream client =
        ValueOf(co_await Connect(ValueOf(listener.LocalAddress())));
    EXPECT_NE(fcntl(client.fd(), F_GETFD) & FD_CLOEXEC, 0);
    // Before anybody has accepted it.
    EXPECT_TRUE((co_await client.Write(Bytes("early"))).ok());
    TcpStream server = ValueOf(co_await listener.Accept());
    EXPECT_EQ(co_await testing::ReadExactly(server, 5), "early");
  };
  Run(main());
}

TEST_F(ConnectTest, ManyAtOnceAllSucceed) {
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

TEST_F(ConnectTest, ACancelledConnectEndsOnceAndLeavesNoFd) {
  auto main = [&]() -> Task<void> {
    UniqueFd listener = ringway::testing::Listen(/*backlog=*/0);
    const SocketAddress address =
        ValueOf(SocketAddress::LocalOf(KernelSockets(), listener.get()));
    ringway::testing::FdPair fill =
        ringway::testing::FillAcceptQueue(listener.get());
    const size_t fds_before = CountOpenFds();
    for (int turns = 0; turns < 6; ++turns) {
      JoinHandle<absl::Status> connect = Spawn(ConnectOnly(address));
      co_await TurnTimes(turns);
      EXPECT_FALSE(connect.done()) << "the queue is full";
      connect.Cancel();
      EXPECT_TRUE(absl::IsCancelled(co_await connect));
      EXPECT_EQ(CountOpenFds(), fds_before);
    }
  };
  Run(main());
}

TEST_F(ConnectTest, AConnectThatHangsEndsAtItsDeadline) {
  auto main = [&]() -> Task<void> {
    UniqueFd listener = ringway::testing::Listen(/*backlog=*/0);
    ringway::testing::FdPair fill =
        ringway::testing::FillAcceptQueue(listener.get());
    Task<absl::Status> connect = ConnectOnly(
        ValueOf(SocketAddress::LocalOf(KernelSockets(), listener.get())));
    EXPECT_TRUE(absl::IsDeadlineExceeded(
        co_await WithTimeout(absl::Milliseconds(20), std::move(connect))));
  };
  Run(main());
}

// A Unix connect to a full queue waits in the kernel, not for readiness.
TEST_F(ConnectTest, AUnixConnectThatHangsCanBeCancelled) {
  ShortDirectory directory;
  auto main = [&]() -> Task<void> {
    ListenOptions options;
    options.backlog = 0;
    const std::string text = absl::StrCat("unix:", directory.PathOf("s"));
    SocketFd listener =
        ValueOf(MakeListenSocket(KernelSockets(), Address(text), options));
    UniqueFd first(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const SocketAddress address = Address(text);
    EXPECT_EQ(connect(first.get(), address.data(), address.size()), 0);
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

TEST_F(ConnectTest, CancelsThatRaceTheConnectionLeakNothing) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    const SocketAddress address = ValueOf(listener.LocalAddress());
    auto accept_all = [&]() -> Task<void> {
      while ((co_await listener.Accept()).ok()) continue;
    };
    JoinHandle<void> accepting = Spawn(accept_all());
    co_await TurnTimes(2);
    const size_t fds_before = CountOpenFds();
    for (int round = 0; round < 300; ++round) {
      JoinHandle<absl::Status> connect = Spawn(ConnectOnly(address));
      co_await TurnTimes(round % 3);
      connect.Cancel();
      const absl::Status status = co_await connect;
      EXPECT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
    }
    co_await TurnUntil([&] { return CountOpenFds() == fds_before; });
    listener.Close();
    EXPECT_TRUE((co_await accepting).ok());
  };
  Run(main());
}

TEST_F(ConnectTest, AnExecutorCanEndWithConnectsInFlight) {
  UniqueFd listener = ringway::testing::Listen(/*backlog=*/0);
  ringway::testing::FdPair fill =
      ringway::testing::FillAcceptQueue(listener.get());
  auto main = [&]() -> Task<void> {
    const SocketAddress address =
        ValueOf(SocketAddress::LocalOf(KernelSockets(), listener.get()));
    for (int i = 0; i < 20; ++i) Spawn(ConnectOnly(address)).Detach();
    co_await TurnTimes(3);
    for (int i = 0; i < 20; ++i) Spawn(ConnectOnly(address)).Detach();
  };
  Run(main());
  DestroyExecutor();
}

TEST_F(ConnectTest, AConnectThatIsNeverAwaitedLeavesNoFd) {
  const size_t fds_before = CountOpenFds();
  { ConnectOp op = Connect(Address("127.0.0.1:1")); }
  EXPECT_EQ(CountOpenFds(), fds_before);
}

}  // namespace
}  // namespace ringway::net
