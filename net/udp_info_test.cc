// SPDX-License-Identifier: Apache-2.0
//
// What comes with UDP datagrams and what they are sent with: destination, TOS
// and ECN, times, drops, joined and cut datagrams, reports of the network.

#include <net/if.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/net/testing/net_fixture.h"
#include "ringway/net/udp_socket.h"

namespace ringway::net {
namespace {

using testing::AsString;
using testing::Bytes;
using testing::NetTest;
using testing::ValueOf;

// Where a socket receives and what a sender calls it: an IPv6 socket also as an
// IPv4 one.
struct Way {
  const char* bound;
  const char* sender;
  const char* host;         // that the datagram is sent to
  const char* destination;  // as the receiver sees it
};
constexpr Way kWays[] = {
    {"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1", "127.0.0.1"},
    {"0.0.0.0:0", "127.0.0.1:0", "127.0.0.7", "127.0.0.7"},
    {"[::1]:0", "[::1]:0", "::1", "::1"},
    {"[::]:0", "[::]:0", "::1", "::1"},
    {"[::]:0", "127.0.0.1:0", "127.0.0.1", "::ffff:127.0.0.1"},
};

SocketAddress Address(std::string_view text) {
  return ValueOf(SocketAddress::Parse(text));
}

class UdpInfoFixture : public NetTest {
 protected:
  // By the clock of times of receipt.
  absl::Time WallNow() {
    if (system().is_kernel()) return absl::Now();
    return absl::FromUnixNanos(loop().backend().clock().Now().nanoseconds());
  }

  UdpSocket Bind(std::string_view address,
                 const UdpOptions& options = UdpOptions()) {
    return ValueOf(UdpSocket::Bind(loop(), Address(address), options));
  }
  // The address of `socket` by the name `host`.
  static SocketAddress Named(const UdpSocket& socket, std::string_view host) {
    return ValueOf(
        SocketAddress::Ip(host, ValueOf(socket.LocalAddress()).port()));
  }

  // What the next datagram says, received in the caller's memory or lent.
  Task<absl::StatusOr<DatagramInfo>> Next(UdpSocket& socket, bool lent) {
    if (lent) {
      absl::StatusOr<LentDatagram> got = co_await socket.ReceiveLent();
      if (!got.ok()) co_return got.status();
      co_return *got;
    }
    std::vector<std::byte> buffer(65'536);
    absl::StatusOr<Datagram> got = co_await socket.ReceiveFrom(buffer);
    if (!got.ok()) co_return got.status();
    co_return *got;
  }
};

class UdpInfoTest : public UdpInfoFixture {
 protected:
  void SetUp() override {
    UdpInfoFixture::SetUp();
    RINGWAY_REQUIRES_KERNEL("control messages");
  }
};
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(UdpInfoTest);

using UdpTimesTest = UdpInfoFixture;
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(UdpTimesTest);

TEST_P(UdpInfoTest, SaysNothingThatWasNotAskedFor) {
  auto main = [&]() -> Task<void> {
    UdpSocket socket = Bind("127.0.0.1:0");
    for (const bool lent : {false, true}) {
      EXPECT_EQ(co_await socket.SendTo(Bytes("x"), Named(socket, "127.0.0.1")),
                absl::OkStatus());
      const DatagramInfo info = ValueOf(co_await Next(socket, lent));
      EXPECT_EQ(info.destination.family(), AF_UNSPEC);
      EXPECT_EQ(info.interface, 0u);
      EXPECT_EQ(info.type_of_service, std::nullopt);
      EXPECT_EQ(info.segment_bytes, 0u);
      EXPECT_EQ(info.n_dropped, 0u);
      EXPECT_EQ(info.received_at, std::nullopt);
    }
  };
  Run(main());
}

TEST_P(UdpInfoTest, SaysWhereADatagramWasSentTo) {
  auto main = [&]() -> Task<void> {
    UdpOptions options;
    options.receive_destination = true;
    for (const Way& way : kWays) {
      SCOPED_TRACE(way.destination);
      UdpSocket socket = Bind(way.bound, options);
      UdpSocket sender = Bind(way.sender);
      for (const bool lent : {false, true}) {
        EXPECT_EQ(co_await sender.SendTo(Bytes("x"), Named(socket, way.host)),
                  absl::OkStatus());
        const DatagramInfo info = ValueOf(co_await Next(socket, lent));
        EXPECT_EQ(info.destination.host(), way.destination);
        EXPECT_EQ(info.interface, if_nametoindex("lo"));
      }
    }
  };
  Run(main());
}

TEST_P(UdpInfoTest, CarriesTosAndEcn) {
  auto main = [&]() -> Task<void> {
    UdpOptions options;
    options.receive_type_of_service = true;
    for (const Way& way : kWays) {
      SCOPED_TRACE(way.destination);
      UdpSocket socket = Bind(way.bound, options);
      UdpSocket sender = Bind(way.sender);
      bool lent = false;
      // DSCP AF11 without ECN, and with ECT(1).
      for (const uint8_t value : {0x28, 0x29}) {
        SendOptions sending;
        sending.type_of_service = value;
        EXPECT_EQ(co_await sender.SendTo(Bytes("x"), Named(socket, way.host),
                                         sending),
                  absl::OkStatus());
        const DatagramInfo info = ValueOf(co_await Next(socket, lent));
        EXPECT_EQ(info.type_of_service, value);
        lent = true;
      }
    }
  };
  Run(main());
}

// An IPv6 socket sends IPv4 packets to mapped addresses.
TEST_P(UdpInfoTest, AnIpv6SocketCarriesTosToIpv4) {
  auto main = [&]() -> Task<void> {
    UdpOptions options;
    options.receive_type_of_service = true;
    UdpSocket socket = Bind("127.0.0.1:0", options);
    UdpSocket sender = Bind("[::]:0");
    SendOptions sending;
    sending.type_of_service = 0x2a;
    sending.source = Address("127.0.0.9:0");
    EXPECT_EQ(co_await sender.SendTo(
                  Bytes("x"), Named(socket, "::ffff:127.0.0.1"), sending),
              absl::OkStatus());
    const DatagramInfo info = ValueOf(co_await Next(socket, false));
    EXPECT_EQ(info.type_of_service, 0x2a);
    EXPECT_EQ(info.sender.host(), "127.0.0.9");
  };
  Run(main());
}

TEST_P(UdpInfoTest, SendsFromTheAddressThatIsAskedFor) {
  auto main = [&]() -> Task<void> {
    UdpSocket socket = Bind("127.0.0.1:0");
    UdpSocket sender = Bind("0.0.0.0:0");
    SendOptions from;
    from.source = Address("127.0.0.5:0");
    EXPECT_EQ(
        co_await sender.SendTo(Bytes("x"), Named(socket, "127.0.0.1"), from),
        absl::OkStatus());
    const DatagramInfo info = ValueOf(co_await Next(socket, false));
    EXPECT_EQ(info.sender.host(), "127.0.0.5");
    // Documentation addresses (RFC 5737) are nobody's.
    from.source = Address("192.0.2.1:0");
    EXPECT_NE(
        co_await sender.SendTo(Bytes("x"), Named(socket, "127.0.0.1"), from),
        absl::OkStatus());
  };
  Run(main());
}

TEST_P(UdpTimesTest, SaysWhenADatagramCame) {
  auto main = [&]() -> Task<void> {
    UdpOptions options;
    options.receive_timestamps = true;
    UdpSocket socket = Bind("127.0.0.1:0", options);
    // The kernel turns its stamps on a moment after the first socket wants
    // them, and stamps what comes before that when it is received.
    for (const bool lent : {false, true}) {
      const absl::Time before = WallNow();
      EXPECT_EQ(co_await socket.SendTo(Bytes("x"), Named(socket, "127.0.0.1")),
                absl::OkStatus());
      const DatagramInfo info = ValueOf(co_await Next(socket, lent));
      const absl::Time after = WallNow();
      EXPECT_TRUE(info.received_at.has_value());
      if (!info.received_at) co_return;
      EXPECT_GE(*info.received_at, before);
      EXPECT_LE(*info.received_at, after);
    }
  };
  Run(main());
}

TEST_P(UdpInfoTest, CountsWhatWasDropped) {
  auto main = [&]() -> Task<void> {
    UdpOptions options;
    options.receive_drops = true;
    options.receive_buffer_bytes = 4'096;
    UdpSocket socket = Bind("127.0.0.1:0", options);
    UdpSocket sender = Bind("127.0.0.1:0");
    const std::vector<std::byte> bytes(1'000);
    constexpr uint32_t kSent = 100;
    for (uint32_t i = 0; i < kSent; ++i) {
      EXPECT_EQ(co_await sender.SendTo(bytes, Named(socket, "127.0.0.1")),
                absl::OkStatus());
    }
    // The count comes with what was queued after a drop.
    uint32_t n_received = 0;
    std::vector<std::byte> buffer(1'000);
    absl::StatusOr<Datagram> got = co_await socket.ReceiveFrom(buffer);
    while (got.ok()) {
      ++n_received;
      got = co_await WithTimeout(absl::Milliseconds(20),
                                 socket.ReceiveFrom(buffer));
    }
    EXPECT_LT(n_received, kSent);
    EXPECT_EQ(co_await sender.SendTo(bytes, Named(socket, "127.0.0.1")),
              absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await Next(socket, false)).n_dropped,
              kSent - n_received);
  };
  Run(main());
}

TEST_P(UdpInfoTest, CutsDatagramsAndJoinsThem) {
  auto main = [&]() -> Task<void> {
    std::vector<std::byte> bytes(10'500);
    for (size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::byte>(i * 3 + i / 257);
    SendOptions cut;
    cut.segment_bytes = 1'000;

    // Cut for a socket that takes datagrams one by one.
    UdpSocket plain = Bind("127.0.0.1:0");
    UdpSocket sender = Bind("127.0.0.1:0");
    EXPECT_EQ(co_await sender.SendTo(bytes, Named(plain, "127.0.0.1"), cut),
              absl::OkStatus());
    std::vector<std::byte> all;
    for (int i = 0; i < 11; ++i) {
      const LentDatagram one = ValueOf(co_await plain.ReceiveLent());
      EXPECT_EQ(one.bytes.size(), i < 10 ? 1'000u : 500u);
      const std::span<const std::byte> part = one.bytes.bytes();
      all.insert(all.end(), part.begin(), part.end());
    }
    EXPECT_EQ(all, bytes);

    // Joined for one that takes them together.
    UdpOptions options;
    options.receive_offload = true;
    UdpSocket joining = Bind("127.0.0.1:0", options);
    EXPECT_EQ(co_await sender.SendTo(bytes, Named(joining, "127.0.0.1"), cut),
              absl::OkStatus());
    all.clear();
    while (all.size() < bytes.size()) {
      const LentDatagram several = ValueOf(co_await joining.ReceiveLent());
      EXPECT_EQ(several.segment_bytes, 1'000u);
      const std::span<const std::byte> part = several.bytes.bytes();
      all.insert(all.end(), part.begin(), part.end());
    }
    EXPECT_EQ(all, bytes);

    // Too many.
    cut.segment_bytes = 1;
    EXPECT_EQ(
        ErrnoOf(co_await sender.SendTo(bytes, Named(plain, "127.0.0.1"), cut)),
        EINVAL);
  };
  Run(main());
}

// What keeps the time is the interface's packet scheduler, which the loopback
// interface has none of.
TEST_P(UdpInfoTest, SendsWithATimeIfTheSocketMay) {
  auto main = [&]() -> Task<void> {
    UdpOptions options;
    options.transmit_times = true;
    for (const Way& way : kWays) {
      SCOPED_TRACE(way.destination);
      UdpSocket socket = Bind(way.bound);
      UdpSocket sender = Bind(way.sender, options);
      SendOptions at;
      at.transmit_at = loop().now() + absl::Milliseconds(1);
      EXPECT_EQ(co_await sender.SendTo(Bytes("x"), Named(socket, way.host), at),
                absl::OkStatus());
      EXPECT_TRUE((co_await Next(socket, false)).ok());
      UdpSocket may_not = Bind(way.sender);
      const absl::Status refused =
          co_await may_not.SendTo(Bytes("x"), Named(socket, way.host), at);
      EXPECT_EQ(ErrnoOf(refused), EINVAL);
      EXPECT_TRUE(absl::StrContains(refused.message(), "transmit_times"))
          << refused;
    }
  };
  Run(main());
}

TEST_P(UdpInfoTest, ReportsWhoCouldNotBeReached) {
  auto main = [&]() -> Task<void> {
    for (const char* host : {"127.0.0.1", "::1"}) {
      SCOPED_TRACE(host);
      const SocketAddress any = ValueOf(SocketAddress::Ip(host, 0));
      UdpOptions options;
      options.receive_errors = true;
      UdpSocket socket = ValueOf(UdpSocket::Bind(loop(), any, options));
      EXPECT_EQ(ValueOf(co_await socket.TakeError()), std::nullopt);
      UdpSocket gone = ValueOf(UdpSocket::Bind(loop(), any));
      const SocketAddress nobody = ValueOf(gone.LocalAddress());
      gone.Close();
      // Each of them is reported, and fails one call.
      EXPECT_EQ(co_await socket.SendTo(Bytes("x"), nobody), absl::OkStatus());
      std::array<std::byte, 10> buffer;
      EXPECT_EQ(ErrnoOf((co_await socket.ReceiveFrom(buffer)).status()),
                ECONNREFUSED);
      const std::optional<DatagramError> error =
          ValueOf(co_await socket.TakeError());
      EXPECT_TRUE(error.has_value());
      if (!error) co_return;
      EXPECT_EQ(error->error, ECONNREFUSED);
      EXPECT_EQ(error->destination, nobody);
      EXPECT_EQ(error->reporter.host(), host);
      // "Port unreachable" of ICMP and of ICMPv6.
      EXPECT_EQ(error->icmp_type, any.family() == AF_INET ? 3 : 1);
      EXPECT_EQ(error->icmp_code, any.family() == AF_INET ? 3 : 4);
      EXPECT_EQ(ValueOf(co_await socket.TakeError()), std::nullopt);
      // The socket is as before.
      EXPECT_EQ(
          co_await socket.SendTo(Bytes("self"), ValueOf(socket.LocalAddress())),
          absl::OkStatus());
      EXPECT_EQ(ValueOf(co_await socket.ReceiveFrom(buffer)).n_bytes, 4u);
    }
  };
  Run(main());
}

// A report also ends a receive of lent datagrams, once.
TEST_P(UdpInfoTest, AReportEndsALentReceiveOnce) {
  auto main = [&]() -> Task<void> {
    UdpOptions options;
    options.receive_errors = true;
    UdpSocket socket = Bind("127.0.0.1:0", options);
    UdpSocket gone = Bind("127.0.0.1:0");
    const SocketAddress nobody = ValueOf(gone.LocalAddress());
    gone.Close();
    EXPECT_EQ(co_await socket.SendTo(Bytes("x"), nobody), absl::OkStatus());
    EXPECT_EQ(ErrnoOf((co_await socket.ReceiveLent()).status()), ECONNREFUSED);
    EXPECT_TRUE(ValueOf(co_await socket.TakeError()).has_value());
    EXPECT_EQ(co_await socket.SendTo(Bytes("y"), Named(socket, "127.0.0.1")),
              absl::OkStatus());
    EXPECT_EQ(AsString(ValueOf(co_await socket.ReceiveLent()).bytes.bytes()),
              "y");
  };
  Run(main());
}

using UdpInfoRefusedTest = NetTest;
RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(UdpInfoRefusedTest);

// The simulator has no options of single datagrams and queues no errors.
TEST_P(UdpInfoRefusedTest, TheSimulatorRefusesOptionsOfADatagram) {
  if (system().is_kernel()) GTEST_SKIP() << "needs the simulator";
  auto main = [&]() -> Task<void> {
    UdpOptions times;
    times.transmit_times = true;
    const absl::Status refused =
        UdpSocket::Bind(loop(), Address("127.0.0.1:0"), times).status();
    EXPECT_EQ(ErrnoOf(refused), ENOPROTOOPT);
    EXPECT_TRUE(absl::StrContains(refused.message(), "SO_TXTIME")) << refused;
    UdpSocket socket = ValueOf(UdpSocket::Bind(loop(), Address("127.0.0.1:0")));
    const SocketAddress self = ValueOf(socket.LocalAddress());
    SendOptions options;
    options.type_of_service = 1;
    EXPECT_EQ(ErrnoOf(co_await socket.SendTo(Bytes("x"), self, options)),
              EOPNOTSUPP);
    EXPECT_EQ(co_await socket.SendTo(Bytes("x"), self, SendOptions()),
              absl::OkStatus());
    EXPECT_EQ(ValueOf(co_await socket.TakeError()), std::nullopt);
    std::array<std::byte, 10> buffer;
    EXPECT_EQ(ValueOf(co_await socket.ReceiveFrom(buffer)).n_bytes, 1u);
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
