// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/udp_socket.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/testing/net_fixture.h"

namespace ringway::net {
namespace {

using ringway::testing::CountAllocations;
using testing::Bytes;
using testing::TurnTimes;
using testing::ValueOf;

using Buffer = std::array<std::byte, 64>;

std::string_view TextOf(const Buffer& buffer,
                        const absl::StatusOr<Datagram>& datagram) {
  if (!datagram.ok()) return datagram.status().message();
  return {reinterpret_cast<const char*>(buffer.data()), datagram->n_bytes};
}

class UdpSocketTest : public testing::NetTest {
 protected:
  UdpSocket BindTo(std::string_view address) {
    return ValueOf(
        UdpSocket::Bind(loop(), ValueOf(SocketAddress::Parse(address))));
  }
};

Task<void> RoundTrip(UdpSocket server, UdpSocket client) {
  const SocketAddress server_address = ValueOf(server.LocalAddress());
  EXPECT_EQ(co_await client.SendTo(Bytes("ping"), server_address),
            absl::OkStatus());
  Buffer buffer;
  absl::StatusOr<Datagram> got = co_await server.ReceiveFrom(buffer);
  EXPECT_EQ(TextOf(buffer, got), "ping");
  EXPECT_EQ(got->sender, ValueOf(client.LocalAddress()));
  EXPECT_FALSE(got->truncated);

  EXPECT_EQ(co_await server.SendTo(Bytes("pong!"), got->sender),
            absl::OkStatus());
  got = co_await client.ReceiveFrom(buffer);
  EXPECT_EQ(TextOf(buffer, got), "pong!");
  EXPECT_EQ(got->sender, server_address);
}

TEST_P(UdpSocketTest, SendsAndReceivesOverIPv4) {
  Run(RoundTrip(BindTo("127.0.0.1:0"), BindTo("127.0.0.1:0")));
}

TEST_P(UdpSocketTest, SendsAndReceivesOverIPv6) {
  RINGWAY_REQUIRES_KERNEL("IPv6");
  Run(RoundTrip(BindTo("[::1]:0"), BindTo("[::1]:0")));
}

TEST_P(UdpSocketTest, SaysWhenADatagramWasTruncated) {
  Run([](UdpSocket socket) -> Task<void> {
    const SocketAddress self = ValueOf(socket.LocalAddress());
    Buffer buffer;
    for (const bool with_sender : {true, false}) {
      EXPECT_EQ(co_await socket.SendTo(Bytes("123456789"), self),
                absl::OkStatus());
      std::span<std::byte> small = std::span(buffer).first(4);
      absl::StatusOr<Datagram> got;
      if (with_sender) {
        got = co_await socket.ReceiveFrom(small);
      } else {
        got = co_await socket.Receive(small);
      }
      EXPECT_EQ(TextOf(buffer, got), "1234");
      EXPECT_TRUE(got->truncated);
    }
    // The rest is lost: the next one is the next one.
    EXPECT_EQ(co_await socket.SendTo(Bytes("next"), self), absl::OkStatus());
    EXPECT_EQ(TextOf(buffer, co_await socket.ReceiveFrom(buffer)), "next");
  }(BindTo("127.0.0.1:0")));
}

TEST_P(UdpSocketTest, AnEmptyDatagramIsADatagram) {
  Run([](UdpSocket socket) -> Task<void> {
    const SocketAddress self = ValueOf(socket.LocalAddress());
    EXPECT_EQ(co_await socket.SendTo({}, self), absl::OkStatus());
    Buffer buffer;
    absl::StatusOr<Datagram> got = co_await socket.ReceiveFrom(buffer);
    EXPECT_EQ(got.status(), absl::OkStatus());
    EXPECT_EQ(got->n_bytes, 0u);
    EXPECT_EQ(got->sender, self);
  }(BindTo("127.0.0.1:0")));
}

TEST_P(UdpSocketTest, AConnectedSocketTalksToItsPeerOnly) {
  Run([](UdpSocket peer, UdpSocket stranger, UdpSocket socket) -> Task<void> {
    const SocketAddress self = ValueOf(socket.LocalAddress());
    EXPECT_EQ(socket.Connect(ValueOf(peer.LocalAddress())), absl::OkStatus());
    EXPECT_EQ(co_await socket.Send(Bytes("hello")), absl::OkStatus());
    Buffer buffer;
    EXPECT_EQ(TextOf(buffer, co_await peer.Receive(buffer)), "hello");
    EXPECT_EQ(co_await stranger.SendTo(Bytes("boo"), self), absl::OkStatus());
    EXPECT_EQ(co_await peer.SendTo(Bytes("hi"), self), absl::OkStatus());
    absl::StatusOr<Datagram> got = co_await socket.Receive(buffer);
    EXPECT_EQ(TextOf(buffer, got), "hi");
    EXPECT_EQ(got->sender.family(), AF_UNSPEC);
  }(BindTo("127.0.0.1:0"), BindTo("127.0.0.1:0"), BindTo("127.0.0.1:0")));
}

TEST_P(UdpSocketTest, ServesSeveralReceiversAtOnce) {
  constexpr int kReceivers = 8;
  Run([](UdpSocket server, UdpSocket client) -> Task<void> {
    std::vector<Task<std::string>> tasks;
    for (int i = 0; i < kReceivers; ++i) {
      tasks.push_back([](UdpSocket& socket) -> Task<std::string> {
        Buffer buffer;
        absl::StatusOr<Datagram> got = co_await socket.ReceiveFrom(buffer);
        co_return std::string(TextOf(buffer, got));
      }(server));
    }
    std::vector<JoinHandle<std::string>> receivers;
    for (Task<std::string>& task : tasks)
      receivers.push_back(Spawn(std::move(task)));
    co_await TurnTimes(3);
    const SocketAddress address = ValueOf(server.LocalAddress());
    std::multiset<std::string> sent;
    for (int i = 0; i < kReceivers; ++i) {
      const std::string text = std::to_string(i);
      EXPECT_EQ(co_await client.SendTo(Bytes(text), address), absl::OkStatus());
      sent.insert(text);
    }
    std::multiset<std::string> received;
    for (JoinHandle<std::string>& receiver : receivers) {
      absl::StatusOr<std::string> text = co_await receiver;
      received.insert(text.value_or("nothing"));
    }
    EXPECT_EQ(received, sent);
  }(BindTo("127.0.0.1:0"), BindTo("127.0.0.1:0")));
}

Task<absl::StatusOr<Datagram>> ReceiveTask(UdpSocket& socket) {
  Buffer buffer;
  co_return co_await socket.Receive(buffer);
}

// The kernel stores "port unreachable" as the socket's pending error and
// polls as in error and readable until it is reported: a receive that re-arms
// on such events would spin.
TEST_P(UdpSocketTest, ReportsARefusalOnceAndThenWaitsInPeace) {
  SocketAddress nobody;
  {
    UdpSocket gone = BindTo("127.0.0.1:0");
    nobody = ValueOf(gone.LocalAddress());
  }
  Run([](UdpSocket socket, SocketAddress dead, Loop& loop) -> Task<void> {
    EXPECT_EQ(socket.Connect(dead), absl::OkStatus());
    EXPECT_EQ(co_await socket.Send(Bytes("anybody there?")), absl::OkStatus());
    Buffer buffer;
    absl::StatusOr<Datagram> got = co_await socket.Receive(buffer);
    EXPECT_EQ(ErrnoOf(got.status()), ECONNREFUSED) << got.status();

    const uint64_t turns = loop.stats().turns;
    got = co_await WithTimeout(absl::Milliseconds(50), ReceiveTask(socket));
    EXPECT_TRUE(absl::IsDeadlineExceeded(got.status())) << got.status();
    EXPECT_LT(loop.stats().turns - turns, 20u);
  }(BindTo("127.0.0.1:0"), nobody, loop()));
}

TEST_P(UdpSocketTest, ReportsARefusalToAReceiveThatWaits) {
  SocketAddress nobody;
  {
    UdpSocket gone = BindTo("127.0.0.1:0");
    nobody = ValueOf(gone.LocalAddress());
  }
  Run([](UdpSocket socket, SocketAddress dead) -> Task<void> {
    EXPECT_EQ(socket.Connect(dead), absl::OkStatus());
    JoinHandle<absl::StatusOr<Datagram>> receiving = Spawn(ReceiveTask(socket));
    co_await TurnTimes(5);
    EXPECT_EQ(co_await socket.Send(Bytes("anybody there?")), absl::OkStatus());
    absl::StatusOr<Datagram> got = co_await receiving;
    EXPECT_EQ(ErrnoOf(got.status()), ECONNREFUSED) << got.status();
  }(BindTo("127.0.0.1:0"), nobody));
}

TEST_P(UdpSocketTest, AnErrorOfOneSendIsItsOwn) {
  Run([](UdpSocket socket) -> Task<void> {
    const SocketAddress self = ValueOf(socket.LocalAddress());
    EXPECT_EQ(ErrnoOf(co_await socket.Send(Bytes("to whom?"))), EDESTADDRREQ);
    const std::vector<std::byte> too_large(70'000);
    EXPECT_EQ(ErrnoOf(co_await socket.SendTo(too_large, self)), EMSGSIZE);
    EXPECT_EQ(co_await socket.SendTo(Bytes("fine"), self), absl::OkStatus());
    Buffer buffer;
    EXPECT_EQ(TextOf(buffer, co_await socket.Receive(buffer)), "fine");
  }(BindTo("127.0.0.1:0")));
}

TEST_P(UdpSocketTest, ACancelledReceiveLosesNoDatagram) {
  Run([](UdpSocket socket) -> Task<void> {
    const SocketAddress self = ValueOf(socket.LocalAddress());
    JoinHandle<absl::StatusOr<Datagram>> receiving = Spawn(ReceiveTask(socket));
    co_await TurnTimes(5);
    receiving.Cancel();
    EXPECT_TRUE(absl::IsCancelled((co_await receiving).status()));
    EXPECT_EQ(co_await socket.SendTo(Bytes("kept"), self), absl::OkStatus());
    Buffer buffer;
    EXPECT_EQ(TextOf(buffer, co_await socket.Receive(buffer)), "kept");
  }(BindTo("127.0.0.1:0")));
}

TEST_P(UdpSocketTest, ClosingEndsWhatIsInFlight) {
  Run([](UdpSocket socket) -> Task<void> {
    JoinHandle<absl::StatusOr<Datagram>> first = Spawn(ReceiveTask(socket));
    JoinHandle<absl::StatusOr<Datagram>> second = Spawn(ReceiveTask(socket));
    co_await TurnTimes(5);
    socket.Close();
    EXPECT_TRUE(absl::IsCancelled((co_await first).status()));
    EXPECT_TRUE(absl::IsCancelled((co_await second).status()));
  }(BindTo("127.0.0.1:0")));
}

TEST_P(UdpSocketTest, FreesItsPortWhenDropped) {
  Run([](UdpSocket socket, Loop& loop) -> Task<void> {
    const SocketAddress address = ValueOf(socket.LocalAddress());
    JoinHandle<absl::StatusOr<Datagram>> receiving = Spawn(ReceiveTask(socket));
    co_await TurnTimes(5);
    EXPECT_EQ(ErrnoOf(UdpSocket::Bind(loop, address).status()), EADDRINUSE);
    socket.Close();
    EXPECT_TRUE(absl::IsCancelled((co_await receiving).status()));
    EXPECT_EQ(UdpSocket::Bind(loop, address).status(), absl::OkStatus());
  }(BindTo("127.0.0.1:0"), loop()));
}

Task<void> ReceiveForever(UdpSocket socket) {
  Buffer buffer;
  static_cast<void>(co_await socket.Receive(buffer));
}

TEST_P(UdpSocketTest, EndsWithItsExecutor) {
  Run([](UdpSocket socket) -> Task<void> {
    Spawn(ReceiveForever(std::move(socket))).Detach();
    co_await TurnTimes(5);
  }(BindTo("127.0.0.1:0")));
  DestroyExecutor();
}

TEST_P(UdpSocketTest, RefusesAUnixAddress) {
  EXPECT_TRUE(absl::IsInvalidArgument(
      UdpSocket::Bind(loop(), ValueOf(SocketAddress::Parse("unix:@x")))
          .status()));
}

TEST_P(UdpSocketTest, SharesAPortThatAsksForIt) {
  UdpOptions share;
  share.reuse_port = true;
  const SocketAddress any = ValueOf(SocketAddress::Parse("127.0.0.1:0"));
  UdpSocket first = ValueOf(UdpSocket::Bind(loop(), any, share));
  const SocketAddress address = ValueOf(first.LocalAddress());
  EXPECT_EQ(UdpSocket::Bind(loop(), address, share).status(), absl::OkStatus());
}

TEST_P(UdpSocketTest, ClaimingAPortRefusesToJoinAnotherGroupAndLetsOthersJoin) {
  UdpOptions share;
  share.reuse_port = true;
  UdpOptions claim = share;
  claim.claim_port = true;
  const SocketAddress any = ValueOf(SocketAddress::Parse("127.0.0.1:0"));
  UdpSocket first = ValueOf(UdpSocket::Bind(loop(), any, claim));
  const SocketAddress address = ValueOf(first.LocalAddress());
  EXPECT_EQ(ErrnoOf(UdpSocket::Bind(loop(), address, claim).status()),
            EADDRINUSE);
  UdpSocket second = ValueOf(UdpSocket::Bind(loop(), address, share));
  EXPECT_EQ(ErrnoOf(UdpSocket::Bind(loop(), address, claim).status()),
            EADDRINUSE);

  // Senders are spread over the group: of 64, each socket gets some.
  Run([](UdpSocket* one, UdpSocket* other, SocketAddress to) -> Task<void> {
    std::vector<UdpSocket> senders;
    for (int i = 0; i < 64; ++i) {
      senders.push_back(ValueOf(
          UdpSocket::Bind(ValueOf(SocketAddress::Parse("127.0.0.1:0")))));
      EXPECT_EQ(co_await senders.back().SendTo(Bytes("x"), to),
                absl::OkStatus());
    }
    Buffer buffer;
    EXPECT_TRUE((co_await one->ReceiveFrom(buffer)).ok());
    EXPECT_TRUE((co_await other->ReceiveFrom(buffer)).ok());
  }(&first, &second, address));
}

TEST_P(UdpSocketTest, SaysWhetherADatagramWaits) {
  Run([](UdpSocket socket, UdpSocket lender) -> Task<void> {
    Buffer buffer;
    EXPECT_FALSE(socket.HasPending());
    EXPECT_EQ(
        co_await lender.SendTo(Bytes("x"), ValueOf(socket.LocalAddress())),
        absl::OkStatus());
    while (!socket.HasPending())  // the simulated network takes its time
      (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
    EXPECT_TRUE((co_await socket.ReceiveFrom(buffer)).ok());
    EXPECT_FALSE(socket.HasPending());

    // Those that are held here are no longer in the socket's own buffer.
    const SocketAddress to = ValueOf(lender.LocalAddress());
    EXPECT_FALSE(
        (co_await WithTimeout(absl::Milliseconds(1), lender.ReceiveLent()))
            .ok());
    EXPECT_EQ(co_await socket.SendTo(Bytes("x"), to), absl::OkStatus());
    SocketCalls& calls = CurrentLoop().backend().sockets();
    while (!lender.HasPending() || calls.IsReadable(lender.fd()) > 0)
      (co_await Sleep(absl::Milliseconds(1))).IgnoreError();
    EXPECT_TRUE((co_await lender.ReceiveLent()).ok());
    EXPECT_FALSE(lender.HasPending());

    EXPECT_EQ(co_await socket.SendTo(Bytes("x"), to), absl::OkStatus());
    lender.Close();
    EXPECT_FALSE(lender.HasPending());
  }(BindTo("127.0.0.1:0"), BindTo("127.0.0.1:0")));
}

TEST_P(UdpSocketTest, AllocatesNothingPerDatagram) {
  RINGWAY_REQUIRES_KERNEL("memory for datagrams");
  Run([](UdpSocket socket) -> Task<void> {
    const SocketAddress self = ValueOf(socket.LocalAddress());
    Buffer buffer;
    uint64_t before = 0;
    for (int i = 0; i < 500; ++i) {
      if (i == 100) before = CountAllocations();
      EXPECT_EQ(co_await socket.SendTo(Bytes("datagram"), self),
                absl::OkStatus());
      absl::StatusOr<Datagram> got = co_await socket.ReceiveFrom(buffer);
      EXPECT_EQ(TextOf(buffer, got), "datagram");
    }
    EXPECT_EQ(CountAllocations() - before, 0u);
  }(BindTo("127.0.0.1:0")));
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(UdpSocketTest);

}  // namespace
}  // namespace ringway::net
