// SPDX-License-Identifier: Apache-2.0
//
// WithTimeout() of every awaitable of net/: the deadline ends the wait, and
// what raced it is kept.

#include "ringway/executor/structured/timeout.h"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/sockets.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/buffered_writer.h"
#include "ringway/net/connect.h"
#include "ringway/net/tcp.h"
#include "ringway/net/testing/kernel_fixture.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/udp_socket.h"

namespace ringway::net {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::Connected;
using testing::ConnectedTcp;
using ::testing::HasSubstr;
using testing::KernelNetTest;
using testing::NetTest;
using testing::Pattern;
using testing::Peer;
using testing::PeerInput;
using testing::ReadToEnd;
using testing::ReceiveToEnd;
using testing::ValueOf;

using TimeoutTest = NetTest;
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(TimeoutTest);

// What only the kernel has: an accept queue that can be filled.
using KernelTimeoutTest = KernelNetTest;

constexpr absl::Duration kShort = absl::Milliseconds(2);

// Sends `n` numbers, in pieces, with pauses about as long as the deadlines.
Task<std::string> SendNumbers(Peer& peer, int n) {
  std::string sent;
  for (int i = 0; i < n; ++i) {
    const std::string text = absl::StrCat(i, ",");
    peer.Send(text);
    sent += text;
    (co_await Sleep(absl::Microseconds(i * 37 % 90))).IgnoreError();
  }
  co_return sent;
}

TEST_P(TimeoutTest, ReadsThatRaceTheirDeadlinesLoseNothing) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    JoinHandle<std::string> sender = Spawn(SendNumbers(pair.far_end, 400));
    std::string received;
    int n_exceeded = 0;
    for (int round = 0; !sender.done() || round < 400; ++round) {
      std::array<std::byte, 5> buffer;
      const absl::Duration timeout = absl::Microseconds(1 + round % 60);
      const absl::StatusOr<size_t> n =
          co_await WithTimeout(timeout, stream.Read(buffer));
      if (n.ok()) {
        received += AsString(std::span(buffer).first(*n));
      } else {
        EXPECT_TRUE(absl::IsDeadlineExceeded(n.status())) << n.status();
        ++n_exceeded;
      }
    }
    EXPECT_GT(n_exceeded, 0);
    const absl::StatusOr<std::string> sent = co_await sender;
    pair.far_end.Close();
    received += ValueOf(co_await ReadToEnd(stream));
    EXPECT_EQ(received, *sent);
  };
  Run(main());
}

TEST_P(TimeoutTest, ReceivesThatRaceTheirDeadlinesLoseNothing) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    JoinHandle<std::string> sender = Spawn(SendNumbers(pair.far_end, 400));
    std::string received;
    int n_exceeded = 0;
    for (int round = 0; !sender.done() || round < 400; ++round) {
      const absl::Duration timeout = absl::Microseconds(1 + round % 60);
      const absl::StatusOr<ReceivedBuffer> buffer =
          co_await WithTimeout(timeout, stream.Receive());
      if (buffer.ok()) {
        received += AsString(buffer->bytes());
      } else {
        EXPECT_TRUE(absl::IsDeadlineExceeded(buffer.status()))
            << buffer.status();
        ++n_exceeded;
      }
    }
    EXPECT_GT(n_exceeded, 0);
    const absl::StatusOr<std::string> sent = co_await sender;
    pair.far_end.Close();
    received += ValueOf(co_await ReceiveToEnd(stream));
    EXPECT_EQ(received, *sent);
  };
  Run(main());
}

// The kernel takes a part, and the rest must not follow after the deadline.
TEST_P(TimeoutTest, AWriteThatIsNotTakenEndsAtItsDeadlineAndStaysEnded) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const std::vector<std::byte> bytes = Pattern(32 << 20, 1);
    const absl::Status written =
        co_await WithTimeout(absl::Milliseconds(20), stream.Write(bytes));
    EXPECT_TRUE(absl::IsDeadlineExceeded(written)) << written;
    EXPECT_THAT(std::string(written.message()), HasSubstr("deadline of 20ms"));
    EXPECT_TRUE((co_await stream.Close()).ok());
    const PeerInput received = co_await pair.far_end.ReceiveAll();
    EXPECT_LT(received.bytes.size(), bytes.size());
    EXPECT_EQ(received.bytes,
              AsString(std::span(bytes).first(received.bytes.size())));
  };
  Run(main());
}

TEST_P(TimeoutTest, AnAcceptThatTimesOutLeavesTheConnectionToTheNext) {
  auto main = [&]() -> Task<void> {
    TcpListener listener = ListenOn("127.0.0.1:0");
    const SocketAddress address = ValueOf(listener.LocalAddress());
    absl::StatusOr<TcpStream> accepted =
        co_await WithTimeout(kShort, listener.Accept());
    EXPECT_TRUE(absl::IsDeadlineExceeded(accepted.status()))
        << accepted.status();
    const absl::StatusOr<TcpStream> connected =
        co_await WithTimeout(kPatience, Connect(address));
    EXPECT_TRUE(connected.ok()) << connected.status();
    accepted = co_await WithTimeout(kPatience, listener.Accept());
    EXPECT_TRUE(accepted.ok()) << accepted.status();
  };
  Run(main());
}

TEST_F(KernelTimeoutTest, AConnectThatHangsEndsAtItsDeadline) {
  auto main = [&]() -> Task<void> {
    UniqueFd listener = ringway::testing::Listen(/*backlog=*/0);
    ringway::testing::FdPair fill =
        ringway::testing::FillAcceptQueue(listener.get());
    const SocketAddress address = ValueOf(SocketAddress::LocalOf(
        ringway::testing::KernelSockets(), listener.get()));
    const absl::StatusOr<TcpStream> connected =
        co_await WithTimeout(absl::Milliseconds(20), Connect(address));
    EXPECT_TRUE(absl::IsDeadlineExceeded(connected.status()))
        << connected.status();
    EXPECT_THAT(std::string(connected.status().message()),
                HasSubstr("connect to 127.0.0.1:"));
  };
  Run(main());
}

TEST_P(TimeoutTest, ADatagramAfterTheDeadlineIsTheNextReceives) {
  auto main = [&]() -> Task<void> {
    UdpSocket socket =
        ValueOf(UdpSocket::Bind(loop(), *SocketAddress::Parse("127.0.0.1:0")));
    const SocketAddress address = ValueOf(socket.LocalAddress());
    std::array<std::byte, 16> buffer;
    absl::StatusOr<Datagram> got =
        co_await WithTimeout(kShort, socket.ReceiveFrom(buffer));
    EXPECT_TRUE(absl::IsDeadlineExceeded(got.status())) << got.status();
    const absl::Status sent =
        co_await WithTimeout(kPatience, socket.SendTo(Bytes("late"), address));
    EXPECT_TRUE(sent.ok()) << sent;
    got = co_await WithTimeout(kPatience, socket.ReceiveFrom(buffer));
    EXPECT_EQ(AsString(std::span(buffer).first(ValueOf(got).n_bytes)), "late");
  };
  Run(main());
}

TEST_P(TimeoutTest, AnEnqueueWithoutRoomQueuesNothing) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    Peer near_end(system(), std::move(pair.near_end));
    near_end.FillUntilRead(pair.far_end);
    TcpStream stream = Adopt(near_end.Release());
    BufferedWriter writer(stream.writer(), /*limit_bytes=*/4);
    absl::Status queued =
        co_await WithTimeout(kPatience, writer.Enqueue(Bytes("four")));
    EXPECT_TRUE(queued.ok()) << queued;
    queued = co_await WithTimeout(kShort, writer.Enqueue(Bytes("more")));
    EXPECT_TRUE(absl::IsDeadlineExceeded(queued)) << queued;
    EXPECT_EQ(writer.queued_bytes(), 4u);
    const absl::Status flushed = co_await WithTimeout(kShort, writer.Flush());
    EXPECT_TRUE(absl::IsDeadlineExceeded(flushed)) << flushed;
  };
  Run(main());
}

TEST_P(TimeoutTest, AShutdownAndACloseTakeTheirTime) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    TcpStream stream = Adopt(std::move(pair.near_end));
    const absl::Status shut =
        co_await WithTimeout(kPatience, stream.ShutdownWrite());
    EXPECT_TRUE(shut.ok()) << shut;
    const absl::Status closed = co_await WithTimeout(kPatience, stream.Close());
    EXPECT_TRUE(closed.ok()) << closed;
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
