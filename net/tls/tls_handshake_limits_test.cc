// SPDX-License-Identifier: Apache-2.0
//
// Handshakes that do not end, or should not: deadlines, limits, hostile bytes;
// and contexts that are loaded again meanwhile.

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ringway/net/tls/testing/tls_fixture.h"
#include "ringway/net/tls/tls_context.h"
#include "ringway/net/tls/tls_stream.h"

namespace ringway::net {
namespace {

using testing::Connected;
using testing::ConnectedTcp;
using testing::Handshaken;
using testing::MakeServer;
using testing::Peer;
using testing::TlsPair;
using testing::TurnTimes;
using testing::TurnUntil;

using TlsHandshakeLimitsTest = testing::TlsTest;
RINGWAY_INSTANTIATE_TLS(TlsHandshakeLimitsTest);

TEST_P(TlsHandshakeLimitsTest, HasADeadline) {
  TlsServerOptions options = ServerOptions();
  options.handshake_timeout = absl::Milliseconds(20);
  const TlsContext server = MakeServer(options);
  auto main = [&]() -> Task<void> {
    const size_t fds_before = OpenFds();
    Connected pair = ConnectedTcp(system());
    pair.far_end.Send("\x16\x03\x01");
    Task<absl::StatusOr<TlsStream>> accept =
        AcceptTls(server, Adopt(std::move(pair.near_end)));
    const absl::StatusOr<TlsStream> accepted = co_await std::move(accept);
    EXPECT_TRUE(absl::IsDeadlineExceeded(accepted.status()))
        << accepted.status();
    EXPECT_EQ(server.statistics().timed_out, 1u);
    co_await TurnUntil([&] { return OpenFds() == fds_before + 1; });
  };
  Run(main());
}

// Connections that stop half-way do not stop service. (They did until their
// deadline: 1,000 of them, by default.)
TEST_P(TlsHandshakeLimitsTest, ClientsThatStopHalfWayKeepNobodyOut) {
  TlsServerOptions options = ServerOptions();
  options.max_handshakes = 50;
  options.handshake_timeout = absl::InfiniteDuration();
  const TlsContext server = MakeServer(options);
  auto main = [&]() -> Task<void> {
    std::vector<Peer> stalled;
    std::vector<JoinHandle<absl::StatusOr<TlsStream>>> accepting;
    for (int i = 0; i < 200; ++i) {
      Connected pair = ConnectedTcp(system());
      pair.far_end.Send("\x16\x03\x01");
      accepting.push_back(
          Spawn(AcceptTls(server, Adopt(std::move(pair.near_end)))));
      stalled.push_back(std::move(pair.far_end));
      if (i % 10 != 9) continue;
      Handshaken both = co_await Shake(server, client_context());
      EXPECT_TRUE(both.client.ok()) << both.client.status();
      EXPECT_TRUE(both.server.ok()) << both.server.status();
    }
    EXPECT_EQ(server.statistics().handshakes_succeeded, 20u);
    // The longest have ended.
    EXPECT_TRUE(absl::IsResourceExhausted((co_await accepting[0]).status()));
    EXPECT_TRUE(accepting[140].done());
    EXPECT_FALSE(accepting[160].done());
    for (size_t i = 1; i < accepting.size(); ++i) {
      accepting[i].Cancel();
      (co_await accepting[i]).status().IgnoreError();
    }
  };
  Run(main());
}

TEST_P(TlsHandshakeLimitsTest, HandshakesInProgressAreLimited) {
  TlsServerOptions options = ServerOptions();
  options.max_handshakes = 50;
  options.handshake_timeout = absl::Milliseconds(300);
  const TlsContext server = MakeServer(options);
  auto main = [&]() -> Task<void> {
    std::vector<Peer> stalled;
    std::vector<JoinHandle<absl::StatusOr<TlsStream>>> accepting;
    for (int i = 0; i < 60; ++i) {
      Connected pair = ConnectedTcp(system());
      pair.far_end.Send("\x16\x03\x01");
      accepting.push_back(
          Spawn(AcceptTls(server, Adopt(std::move(pair.near_end)))));
      stalled.push_back(std::move(pair.far_end));
    }
    int n_refused = 0;
    for (JoinHandle<absl::StatusOr<TlsStream>>& handle : accepting) {
      const absl::Status status = (co_await handle).status();
      if (absl::IsResourceExhausted(status)) ++n_refused;
    }
    EXPECT_EQ(n_refused, 10);
    EXPECT_EQ(server.statistics().handshakes_refused, 10u);
    EXPECT_EQ(server.statistics().timed_out, 50u);
    Handshaken both = co_await Shake(server, client_context());
    EXPECT_TRUE(both.client.ok()) << both.client.status();
  };
  Run(main());
}

// A handshake kept its last delivery while it waited for the next one, and four
// clients on their way starved a worker of four buffers. Found by the stream
// model.
TEST_P(TlsHandshakeLimitsTest, OneThatWaitsHoldsNoReceiveBuffer) {
  auto main = [&]() -> Task<void> {
    Connected pair = ConnectedTcp(system());
    JoinHandle<absl::StatusOr<TlsStream>> accepting =
        Spawn(Accept(std::move(pair.near_end)));
    co_await TurnTimes(2);
    const uint64_t deliveries = loop().stats().backend.deliveries;
    pair.far_end.Send("\x16\x03\x01");
    co_await TurnUntil(
        [&] { return loop().stats().backend.deliveries > deliveries; });
    co_await TurnTimes(2);
    EXPECT_EQ(loop().stats().backend.receive_memory.lent, 0u);
    EXPECT_FALSE(accepting.done());
    pair.far_end.Close();
    EXPECT_TRUE(absl::IsDataLoss((co_await accepting).status()));
  };
  Run(main());
}

TEST_P(TlsHandshakeLimitsTest, HostileBytesFailIt) {
  auto main = [&]() -> Task<void> {
    const std::array<std::string, 5> all = {
        "GET / HTTP/1.1\r\n\r\n", std::string(5000, '\0'),
        std::string(5000, '\xff'),
        std::string("\x15\x03\x03\x00\x02\x02\x28", 7),
        std::string("\x16\x03\x01\xff\xff", 5) + std::string(70'000, 'x')};
    for (const std::string& bytes : all) {
      Connected pair = ConnectedTcp(system());
      JoinHandle<absl::StatusOr<TlsStream>> accepting =
          Spawn(Accept(std::move(pair.near_end)));
      pair.far_end.Send(bytes.substr(0, 4000));
      pair.far_end.ShutdownWrite();
      const absl::StatusOr<TlsStream> accepted = co_await accepting;
      EXPECT_TRUE(absl::IsAborted(accepted.status()) ||
                  absl::IsDataLoss(accepted.status()))
          << accepted.status();
    }
  };
  Run(main());
}

// --- Reloading

TEST_P(TlsHandshakeLimitsTest, ReloadedUnderLoadNoConnectionIsLost) {
  TlsServerOptions options = ServerOptions();
  TlsContext server = MakeServer(options);
  auto main = [&]() -> Task<void> {
    std::vector<TlsPair> kept;
    for (int i = 0; i < 40; ++i) {
      Handshaken both = co_await Shake(server, client_context());
      EXPECT_TRUE(both.client.ok() && both.server.ok());
      EXPECT_EQ(server.Reload(), absl::OkStatus());
      EXPECT_EQ(co_await Talk(*both.client, *both.server), absl::OkStatus());
      TlsPair& pair = kept.emplace_back();
      pair.client = *std::move(both.client);
      pair.server = *std::move(both.server);
    }
    for (TlsPair& pair : kept)
      EXPECT_EQ(co_await Talk(pair.client, pair.server), absl::OkStatus());
    // Ticket keys outlive a reload.
    EXPECT_GE(server.statistics().resumed, 38u);
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
