// SPDX-License-Identifier: Apache-2.0
//
// Multicast groups on the loopback interface, and the options of UDP sockets.

#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/udp_socket.h"

namespace ringway::net {
namespace {

using testing::Bytes;
using testing::NetTest;
using testing::ValueOf;

SocketAddress Address(std::string_view text) {
  return ValueOf(SocketAddress::Parse(text));
}

class MulticastTest : public NetTest {
 protected:
  const uint32_t loopback_ = if_nametoindex("lo");

  UdpSocket Receiver(std::string_view address) {
    UdpOptions options;
    options.reuse_address = true;
    return ValueOf(UdpSocket::Bind(loop(), Address(address), options));
  }
  UdpSocket Sender(std::string_view address) {
    UdpOptions options;
    options.multicast_interface = loopback_;
    options.multicast_ttl = 1;
    options.multicast_loop = true;
    return ValueOf(UdpSocket::Bind(loop(), Address(address), options));
  }
  MulticastGroup Group(std::string_view address) const {
    MulticastGroup group;
    group.group = Address(address);
    group.interface = loopback_;
    return group;
  }

  // What arrives next, or "nothing".
  Task<std::string> Next(UdpSocket& socket) {
    std::array<std::byte, 100> buffer;
    const absl::StatusOr<Datagram> datagram = co_await WithTimeout(
        absl::Milliseconds(30), socket.ReceiveFrom(buffer));
    if (absl::IsDeadlineExceeded(datagram.status())) co_return "nothing";
    co_return testing::AsString(
        std::span(buffer).first(ValueOf(datagram).n_bytes));
  }
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(MulticastTest);

// A group that no other process uses which runs this test at the same time:
// two of them may have one port, as it is shared.
std::string OwnGroup(std::string_view begin, std::string_view between, int n) {
  const int pid = getpid();
  return absl::StrCat(begin, pid / 250 % 250, between, pid % 250, between, n);
}

struct Family {
  std::string any;
  std::string sender;
  std::string group;
  std::string other_group;
};
const std::array<Family, 2> kFamilies = {
    Family{"0.0.0.0:0", "127.0.0.1:0", OwnGroup("239.", ".", 1) + ":0",
           OwnGroup("239.", ".", 2) + ":0"},
    Family{"[::]:0", "[::1]:0", "[" + OwnGroup("ff02::7:", ":", 1) + "]:0",
           "[" + OwnGroup("ff02::7:", ":", 2) + "]:0"},
};

TEST_P(MulticastTest, ASocketGetsWhatIsSentToItsGroups) {
  RINGWAY_REQUIRES_KERNEL("multicast");
  auto main = [&]() -> Task<void> {
    for (const Family& family : kFamilies) {
      SCOPED_TRACE(family.group);
      UdpSocket first = Receiver(family.any);
      const uint16_t port = ValueOf(first.LocalAddress()).port();
      UdpSocket second = Receiver(ValueOf(first.LocalAddress()).ToString());
      UdpSocket sender = Sender(family.sender);
      const MulticastGroup group = Group(family.group);
      EXPECT_EQ(first.Join(group), absl::OkStatus());
      EXPECT_EQ(second.Join(group), absl::OkStatus());
      const absl::Status again = first.Join(group);
      EXPECT_EQ(ErrnoOf(again), EADDRINUSE) << again;

      const SocketAddress to = group.group.WithPort(port);
      const absl::Status sent = co_await sender.SendTo(Bytes("both"), to);
      if (ErrnoOf(sent) == ENETUNREACH) {
        // Few machines have a route for IPv6 multicast on this interface.
        EXPECT_EQ(to.family(), AF_INET6);
        EXPECT_EQ(first.Leave(group), absl::OkStatus());
        continue;
      }
      EXPECT_EQ(sent, absl::OkStatus());
      EXPECT_EQ(co_await Next(first), "both");
      EXPECT_EQ(co_await Next(second), "both");
      EXPECT_EQ(co_await sender.SendTo(
                    Bytes("none"), Address(family.other_group).WithPort(port)),
                absl::OkStatus());
      EXPECT_EQ(co_await Next(first), "nothing");

      EXPECT_EQ(first.Leave(group), absl::OkStatus());
      const absl::Status not_joined = first.Leave(group);
      EXPECT_EQ(ErrnoOf(not_joined), EADDRNOTAVAIL) << not_joined;
      EXPECT_EQ(co_await sender.SendTo(Bytes("one"), to), absl::OkStatus());
      EXPECT_EQ(co_await Next(second), "one");
    }
  };
  Run(main());
}

TEST_P(MulticastTest, ASourceSpecificGroupHasOneSender) {
  RINGWAY_REQUIRES_KERNEL("multicast");
  auto main = [&]() -> Task<void> {
    UdpSocket receiver = Receiver("0.0.0.0:0");
    const uint16_t port = ValueOf(receiver.LocalAddress()).port();
    MulticastGroup group = Group(OwnGroup("232.", ".", 3) + ":0");
    group.source = Address("127.0.0.1:0");
    EXPECT_EQ(receiver.Join(group), absl::OkStatus());
    UdpSocket sender = Sender("127.0.0.1:0");
    UdpSocket stranger = Sender("127.0.0.2:0");
    const SocketAddress to = group.group.WithPort(port);
    EXPECT_EQ(co_await stranger.SendTo(Bytes("stranger"), to),
              absl::OkStatus());
    EXPECT_EQ(co_await sender.SendTo(Bytes("source"), to), absl::OkStatus());
    EXPECT_EQ(co_await Next(receiver), "source");
    EXPECT_EQ(receiver.Leave(group), absl::OkStatus());
  };
  Run(main());
}

TEST_P(MulticastTest, SendersCanKeepItFromThisMachine) {
  RINGWAY_REQUIRES_KERNEL("multicast");
  auto main = [&]() -> Task<void> {
    UdpSocket receiver = Receiver("0.0.0.0:0");
    const MulticastGroup group = Group("239.255.7.3:0");
    EXPECT_EQ(receiver.Join(group), absl::OkStatus());
    int loops = -1;
    socklen_t length = sizeof(loops);
    UdpOptions options;
    options.multicast_loop = false;
    UdpSocket sender =
        ValueOf(UdpSocket::Bind(loop(), Address("127.0.0.1:0"), options));
    EXPECT_EQ(
        getsockopt(sender.fd(), IPPROTO_IP, IP_MULTICAST_LOOP, &loops, &length),
        0);
    EXPECT_EQ(loops, 0);
    co_return;
  };
  Run(main());
}

TEST_P(MulticastTest, BadGroupsAreNamed) {
  RINGWAY_REQUIRES_KERNEL("multicast");
  auto main = [&]() -> Task<void> {
    UdpSocket socket = Receiver("0.0.0.0:0");
    EXPECT_EQ(socket.Join(Group("10.0.0.1:0")).code(),
              absl::StatusCode::kInvalidArgument);
    MulticastGroup nowhere = Group("239.255.7.4:0");
    nowhere.interface = 1'000'000;
    const absl::Status status = socket.Join(nowhere);
    EXPECT_EQ(ErrnoOf(status), ENODEV) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "239.255.7.4")) << status;
    socket.Close();
    EXPECT_EQ(socket.Join(Group("239.255.7.4:0")).code(),
              absl::StatusCode::kFailedPrecondition);
    co_return;
  };
  Run(main());
}

TEST_P(MulticastTest, BroadcastsNeedTheOption) {
  RINGWAY_REQUIRES_KERNEL("broadcasts");
  auto main = [&]() -> Task<void> {
    const SocketAddress everybody = Address("127.255.255.255:9");
    UdpSocket plain = Receiver("127.0.0.1:0");
    EXPECT_EQ(ErrnoOf(co_await plain.SendTo(Bytes("x"), everybody)), EACCES);
    UdpOptions options;
    options.broadcast = true;
    UdpSocket loud =
        ValueOf(UdpSocket::Bind(loop(), Address("127.0.0.1:0"), options));
    EXPECT_EQ(co_await loud.SendTo(Bytes("x"), everybody), absl::OkStatus());
  };
  Run(main());
}

TEST_P(MulticastTest, ADisconnectedSocketHearsEverybodyAgain) {
  auto main = [&]() -> Task<void> {
    UdpSocket socket = ValueOf(UdpSocket::Bind(loop(), Address("127.0.0.1:0")));
    UdpSocket friendly =
        ValueOf(UdpSocket::Bind(loop(), Address("127.0.0.1:0")));
    UdpSocket other = ValueOf(UdpSocket::Bind(loop(), Address("127.0.0.1:0")));
    const SocketAddress to = ValueOf(socket.LocalAddress());
    EXPECT_EQ(socket.Connect(ValueOf(friendly.LocalAddress())),
              absl::OkStatus());
    EXPECT_EQ(co_await other.SendTo(Bytes("other"), to), absl::OkStatus());
    EXPECT_EQ(co_await Next(socket), "nothing");
    EXPECT_EQ(socket.Disconnect(), absl::OkStatus());
    EXPECT_EQ(co_await other.SendTo(Bytes("again"), to), absl::OkStatus());
    EXPECT_EQ(co_await Next(socket), "again");
  };
  Run(main());
}

TEST_P(MulticastTest, OptionsOutOfRangeAreRefusedByName) {
  RINGWAY_REQUIRES_KERNEL("multicast");
  auto main = [&]() -> Task<void> {
    for (const Family& family : kFamilies) {
      UdpOptions options;
      options.multicast_ttl = 256;
      const absl::Status status =
          UdpSocket::Bind(loop(), Address(family.any), options).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "MULTICAST")) << status;
    }
    co_return;
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
