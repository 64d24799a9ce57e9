// SPDX-License-Identifier: Apache-2.0
//
// What a task that waits for a socket is said to wait for: the operation and
// the address that a person knows it by.

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/system.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/connect.h"
#include "ringway/net/stream_pair.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/udp_socket.h"

namespace ringway::net {
namespace {

using ringway::testing::TestFd;
using ringway::testing::TestFdPair;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using ::testing::HasSubstr;
using testing::TurnTimes;
using testing::ValueOf;

class WaitsForTest : public testing::NetTest {
 protected:
  // What `task` waits for once it does; then ends it.
  template <typename T>
  Task<std::string> WaitsFor(Task<T> task) {
    JoinHandle<T> handle = Spawn(std::move(task));
    co_await TurnTimes(5);
    EXPECT_FALSE(handle.done());
    std::string what = handle.WaitsFor();
    handle.Cancel();
    static_cast<void>(co_await handle);
    co_return what;
  }

  SocketAddress PeerOf(const TcpStream& stream) {
    return ValueOf(stream.PeerAddress());
  }
};

Task<absl::Status> ReadOnce(TcpStream& stream) {
  std::array<std::byte, 8> buffer;
  co_return (co_await stream.Read(buffer)).status();
}

Task<absl::Status> ReceiveOnce(TcpStream& stream) {
  co_return (co_await stream.Receive()).status();
}

Task<absl::Status> WriteOnce(TcpStream& stream) {
  co_return co_await stream.Write(Bytes("more"));
}

Task<absl::Status> ShutDown(TcpStream& stream) {
  co_return co_await stream.ShutdownWrite();
}

Task<absl::Status> AcceptOnce(TcpListener& listener) {
  co_return (co_await listener.Accept()).status();
}

Task<absl::Status> ConnectOnce(SocketAddress address) {
  co_return (co_await Connect(address)).status();
}

Task<absl::Status> ReceiveDatagram(UdpSocket& socket) {
  std::array<std::byte, 8> buffer;
  co_return (co_await socket.Receive(buffer)).status();
}

TEST_P(WaitsForTest, AStreamIsNamedByItsPeer) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::string peer = PeerOf(stream).ToString();
    EXPECT_THAT(peer, HasSubstr("127.0.0.1:"));
    EXPECT_EQ(co_await WaitsFor(ReadOnce(stream)), "recv on " + peer);
    EXPECT_EQ(co_await WaitsFor(ReceiveOnce(stream)), "recv on " + peer);
  };
  Run(main());
}

TEST_P(WaitsForTest, AWriteAndWhatIsQueuedBehindIt) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::string peer = PeerOf(stream).ToString();
    const std::string much(32 * 1024 * 1024, '-');
    auto write = [&]() -> Task<absl::Status> {
      co_return co_await stream.Write(Bytes(much));
    };
    JoinHandle<absl::Status> writing = Spawn(write());
    co_await TurnTimes(5);
    EXPECT_EQ(writing.WaitsFor(), "send to " + peer);
    EXPECT_EQ(co_await WaitsFor(WriteOnce(stream)), "send to " + peer);
    EXPECT_EQ(co_await WaitsFor(ShutDown(stream)), "shutdown of " + peer);
    writing.Cancel();
    EXPECT_FALSE((co_await writing).ok());
  };
  Run(main());
}

TEST_P(WaitsForTest, AUnixStreamIsNamedByThePathOnBothEnds) {
  auto main = [&]() -> Task<void> {
    const std::string address = UnixAddress("s");
    TcpListener listener = ListenOn(address);
    TcpStream client =
        ValueOf(co_await Connect(ValueOf(SocketAddress::Parse(address))));
    TcpStream server = ValueOf(co_await listener.Accept());
    EXPECT_EQ(co_await WaitsFor(ReadOnce(client)), "recv on " + address);
    EXPECT_EQ(co_await WaitsFor(ReadOnce(server)), "recv on " + address);
  };
  Run(main());
}

TEST_P(WaitsForTest, AStreamWithoutAnyNameIsNamedByItsFd) {
  auto main = [&]() -> Task<void> {
    auto [one, other] = ValueOf(StreamPair());
    EXPECT_EQ(co_await WaitsFor(ReadOnce(one)),
              absl::StrCat("recv on fd ", one.fd()));
  };
  Run(main());
}

TEST_P(WaitsForTest, AListenerIsNamedByItsAddress) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    EXPECT_EQ(co_await WaitsFor(AcceptOnce(listener)),
              "accept on " + ValueOf(listener.LocalAddress()).ToString());
    TcpListener at_path = ListenOn(UnixAddress("s"));
    EXPECT_EQ(co_await WaitsFor(AcceptOnce(at_path)),
              "accept on " + UnixAddress("s"));
  };
  Run(main());
}

TEST_P(WaitsForTest, AConnectIsNamedByWhereItGoes) {
  auto main = [&]() -> Task<void> {
    TestFd listener = system().TcpListener(/*backlog=*/0);
    TestFdPair fill = system().FillAcceptQueue(listener.get());
    const SocketAddress address =
        ValueOf(SocketAddress::LocalOf(system().sockets(), listener.get()));
    EXPECT_EQ(co_await WaitsFor(ConnectOnce(address)),
              "connect to " + address.ToString());
  };
  Run(main());
}

TEST_P(WaitsForTest, ADatagramSocketIsNamedByItsOwnAddress) {
  auto main = [&]() -> Task<void> {
    UdpSocket socket = ValueOf(
        UdpSocket::Bind(loop(), ValueOf(SocketAddress::Parse("127.0.0.1:0"))));
    EXPECT_EQ(co_await WaitsFor(ReceiveDatagram(socket)),
              "recv on " + ValueOf(socket.LocalAddress()).ToString());
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(WaitsForTest);

}  // namespace
}  // namespace ringway::net
