// SPDX-License-Identifier: Apache-2.0
//
// What a handshake decides: certificates, protocols, sessions; and how it
// fails.

#include <array>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/net/tls/testing/engine_pair.h"
#include "ringway/net/tls/testing/tls_fixture.h"
#include "ringway/net/tls/tls_context.h"
#include "ringway/net/tls/tls_stream.h"
#include "ringway/pools/blocking/blocking_pool.h"
#include "ringway/pools/job_pool.h"

namespace ringway::net {
namespace {

using testing::CertificateFile;
using testing::Connected;
using testing::ConnectedTcp;
using testing::EngineEnd;
using testing::Handshaken;
using ::testing::HasSubstr;
using testing::MakeClient;
using testing::MakeServer;
using testing::Peer;
using testing::ReadToEnd;
using testing::ReceiveSome;
using testing::TestCertificate;
using testing::TestClientOptions;
using testing::TurnTimes;
using ::testing::UnorderedElementsAre;
using testing::ValueOf;

using TlsHandshakeTest = testing::TlsTest;
RINGWAY_INSTANTIATE_TLS(TlsHandshakeTest);

// --- Clients that have gone

// A server of TLS 1.3 sends session tickets when the handshake is over. That
// the client has closed by then, which a Unix socket tells at once, failed the
// handshake, and what the client had sent was lost. Found by the stream model.
TEST_P(TlsHandshakeTest, AClientThatHasSentAllAndClosedIsHeard) {
  auto main = [&]() -> Task<void> {
    ringway::testing::TestFdPair fds = system().SocketPair();
    Peer far(system(), std::move(fds.second));
    JoinHandle<absl::StatusOr<TlsStream>> accepting =
        Spawn(Accept(std::move(fds.first)));
    EngineEnd client(ClientEngine());
    co_await ShakeByHand(client, far);
    client.Send("all I have");
    EXPECT_EQ(client.engine().Shutdown(), internal::TlsStep::kDone);
    far.Send(client.TakeOutput());
    far.Close();
    TlsStream server = ValueOf(co_await accepting);
    EXPECT_EQ(ValueOf(co_await ReadToEnd(server)), "all I have");
  };
  Run(main());
}

// --- Certificates by name

TEST_P(TlsHandshakeTest, TheNameChoosesTheCertificate) {
  TlsServerOptions options = ServerOptions();
  options.certificates.push_back(TestCertificate("wildcard"));
  options.certificates.push_back(TestCertificate("exact"));
  const TlsContext server = MakeServer(options);
  auto main = [&]() -> Task<void> {
    const std::array<std::pair<const char*, const char*>, 5> cases = {
        std::pair("server.test", "CN=server.test"),
        std::pair("www.example.test", "CN=exact"),
        std::pair("API.example.test", "CN=wildcard"),
        std::pair("example.test", "CN=wildcard"),
        std::pair("127.0.0.1", "CN=server.test")};
    for (const auto& [host, subject] : cases) {
      Handshaken both = co_await Shake(server, client_context(), host);
      EXPECT_TRUE(both.client.ok()) << both.client.status();
      if (!both.client.ok()) continue;
      EXPECT_EQ(both.client->peer_certificate()->subject, subject) << host;
    }
    // One label only.
    Handshaken both =
        co_await Shake(server, client_context(), "a.b.example.test");
    EXPECT_TRUE(absl::IsUnauthenticated(both.client.status()));
    EXPECT_THAT(std::string(both.client.status().message()),
                HasSubstr("TLS handshake with a.b.example.test"));
    EXPECT_TRUE(absl::IsAborted(both.server.status()));
  };
  Run(main());
}

TEST_P(TlsHandshakeTest, EcdsaAndRsaSideBySide) {
  TlsServerOptions options = ServerOptions();
  options.certificates.push_back(TestCertificate("server_rsa"));
  const TlsContext server = MakeServer(options);
  TlsClientOptions old = TestClientOptions();
  old.max_version = TlsVersion::kTls12;
  old.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
  auto main = [&]() -> Task<void> {
    Handshaken modern = co_await Shake(server, client_context());
    EXPECT_TRUE(modern.client.ok()) << modern.client.status();
    EXPECT_EQ(server.statistics().offloaded, 0u);
    if (Version() == TlsVersion::kTls13) co_return;
    Handshaken rsa = co_await Shake(server, MakeClient(old));
    EXPECT_TRUE(rsa.client.ok()) << rsa.client.status();
    EXPECT_EQ(rsa.client->info().cipher, "ECDHE-RSA-AES128-GCM-SHA256");
  };
  Run(main());
}

// --- RSA off the loop

TEST_P(TlsHandshakeTest, RsaSignsOnTheBlockingPool) {
  RINGWAY_REQUIRES_KERNEL("time: a pool's threads have their own");
  TlsServerOptions options = ServerOptions();
  options.certificates = {TestCertificate("server_rsa")};
  const TlsContext server = MakeServer(options);
  options.offload_rsa = false;
  const TlsContext inline_server = MakeServer(options);
  auto main = [&]() -> Task<void> {
    for (int i = 0; i < 5; ++i) {
      Handshaken both = co_await Shake(server, client_context());
      EXPECT_TRUE(both.client.ok() && both.server.ok());
      EXPECT_EQ(co_await Talk(*both.client, *both.server), absl::OkStatus());
    }
    EXPECT_EQ(server.statistics().offloaded, 5u);
    Handshaken both = co_await Shake(inline_server, MakeClient());
    EXPECT_TRUE(both.client.ok() && both.server.ok());
    EXPECT_EQ(inline_server.statistics().offloaded, 0u);
  };
  Run(main());
}

TEST_P(TlsHandshakeTest, CancelledWhileThePoolSigns) {
  RINGWAY_REQUIRES_KERNEL("time: a pool's threads have their own");
  TlsServerOptions options = ServerOptions();
  options.certificates = {TestCertificate("server_rsa")};
  const TlsContext server = MakeServer(options);
  auto main = [&]() -> Task<void> {
    for (int turns = 0; turns < 12; ++turns) {
      Connected pair = ConnectedTcp(system());
      TcpStream near = Adopt(std::move(pair.near_end));
      TcpStream far = Adopt(pair.far_end.Release());
      JoinHandle<absl::StatusOr<TlsStream>> accepting =
          Spawn(AcceptTls(server, std::move(near)));
      JoinHandle<absl::StatusOr<TlsStream>> connecting = Spawn(
          ConnectTls(client_context(), std::move(far), testing::kTestHost));
      co_await TurnTimes(turns);
      accepting.Cancel();
      const absl::StatusOr<TlsStream> accepted = co_await accepting;
      EXPECT_TRUE(accepted.ok() || absl::IsCancelled(accepted.status()));
      connecting.Cancel();
      (co_await connecting).status().IgnoreError();
    }
  };
  Run(main());
}

// A pool without room.
class FullPool : public JobPool {
 public:
  absl::Status Start(std::shared_ptr<Job> /*job*/) override {
    return absl::ResourceExhaustedError("full");
  }
  bool Withdraw(Job& /*job*/) override { return false; }
  uint32_t max_threads() const override { return 1; }
  JobPoolStats stats() const override { return {}; }
};

TEST_P(TlsHandshakeTest, WithoutRoomInThePoolItSignsHere) {
  TlsServerOptions options = ServerOptions();
  options.certificates = {TestCertificate("server_rsa")};
  const TlsContext server = MakeServer(options);
  SetBlockingPool(executor(), std::make_shared<FullPool>());
  auto main = [&]() -> Task<void> {
    Handshaken both = co_await Shake(server, client_context());
    EXPECT_TRUE(both.client.ok() && both.server.ok());
    EXPECT_EQ(co_await Talk(*both.client, *both.server), absl::OkStatus());
  };
  Run(main());
}

// --- ALPN

TEST_P(TlsHandshakeTest, TheServersPreferenceChoosesTheProtocol) {
  TlsServerOptions server = ServerOptions();
  server.alpn = {"h2", "http/1.1"};
  TlsClientOptions client = TestClientOptions();
  client.alpn = {"http/1.1", "h2"};
  auto main = [&]() -> Task<void> {
    Handshaken both = co_await Shake(MakeServer(server), MakeClient(client));
    EXPECT_EQ(ValueOf(std::move(both.client)).info().alpn, "h2");
    EXPECT_EQ(ValueOf(std::move(both.server)).info().alpn, "h2");
    Handshaken none = co_await Shake(MakeServer(server), client_context());
    EXPECT_EQ(ValueOf(std::move(none.client)).info().alpn, "");
  };
  Run(main());
}

TEST_P(TlsHandshakeTest, WithoutACommonProtocolItFails) {
  TlsServerOptions server = ServerOptions();
  server.alpn = {"h2"};
  TlsClientOptions client = TestClientOptions();
  client.alpn = {"redis"};
  auto main = [&]() -> Task<void> {
    Handshaken both = co_await Shake(MakeServer(server), MakeClient(client));
    EXPECT_THAT(std::string(both.client.status().message()),
                HasSubstr("no application protocol"));
    EXPECT_FALSE(both.server.ok());
  };
  Run(main());
}

// --- Counters

TEST_P(TlsHandshakeTest, AreCountedByCipher) {
  struct Case {
    const char* tls12;
    const char* tls13;
    uint64_t TlsStatistics::*counter;
  };
  constexpr Case kCases[] = {
      {"ECDHE+AES128+AESGCM", "TLS_AES_128_GCM_SHA256",
       &TlsStatistics::aes128_gcm},
      {"ECDHE+AES256+AESGCM", "TLS_AES_256_GCM_SHA384",
       &TlsStatistics::aes256_gcm},
      {"ECDHE+CHACHA20", "TLS_CHACHA20_POLY1305_SHA256",
       &TlsStatistics::chacha20_poly1305},
      {"ECDHE+AESCCM", "TLS_AES_128_CCM_SHA256", &TlsStatistics::other_cipher},
  };
  auto main = [&]() -> Task<void> {
    for (const Case& test : kCases) {
      TlsServerOptions options = ServerOptions();
      options.ciphers = test.tls12;
      options.cipher_suites = test.tls13;
      TlsClientOptions client = TestClientOptions();
      client.ciphers = test.tls12;
      client.cipher_suites = test.tls13;
      const TlsContext server = MakeServer(options);
      Handshaken both = co_await Shake(server, MakeClient(client));
      EXPECT_TRUE(both.client.ok() && both.server.ok())
          << both.client.status() << both.server.status();
      const TlsStatistics statistics = server.statistics();
      EXPECT_EQ(statistics.*test.counter, 1u) << test.tls13;
      EXPECT_EQ(statistics.aes128_gcm + statistics.aes256_gcm +
                    statistics.chacha20_poly1305 + statistics.other_cipher,
                1u);
    }
  };
  Run(main());
}

// --- Sessions

TEST_P(TlsHandshakeTest, SessionsAreResumed) {
  auto main = [&]() -> Task<void> {
    for (int i = 0; i < 4; ++i) {
      Handshaken both = co_await Shake(server_context(), client_context());
      EXPECT_TRUE(both.client.ok() && both.server.ok());
      EXPECT_EQ(co_await Talk(*both.client, *both.server), absl::OkStatus());
      EXPECT_EQ(both.client->info().resumed, i > 0) << i;
      EXPECT_EQ(both.server->info().resumed, i > 0) << i;
      EXPECT_EQ(both.server->info().host, testing::kTestHost);
    }
    const TlsStatistics statistics = server_context().statistics();
    EXPECT_EQ(statistics.handshakes_succeeded, 4u);
    EXPECT_EQ(statistics.resumed, 3u);
    EXPECT_EQ(statistics.tls12, Version() == TlsVersion::kTls12 ? 4u : 0u);
  };
  Run(main());
}

TEST_P(TlsHandshakeTest, NotWithAnotherServerOrWithoutTickets) {
  TlsServerOptions without = ServerOptions();
  without.tickets = false;
  const TlsContext no_tickets = MakeServer(without);
  const TlsContext another = MakeServer(ServerOptions());
  auto main = [&]() -> Task<void> {
    const TlsContext client = MakeClient();
    const std::vector<TlsContext> servers = {server_context(), another,
                                             no_tickets, no_tickets};
    for (const TlsContext& server : servers) {
      Handshaken both = co_await Shake(server, client);
      EXPECT_TRUE(both.client.ok() && both.server.ok());
      EXPECT_EQ(co_await Talk(*both.client, *both.server), absl::OkStatus());
      EXPECT_FALSE(both.client->info().resumed);
    }
  };
  Run(main());
}

// --- Clients' certificates

TEST_P(TlsHandshakeTest, AClientsCertificateNamesIt) {
  TlsServerOptions options = ServerOptions();
  options.client_certificates = ClientCertificates::kRequired;
  options.client_roots = TlsPem::File(CertificateFile("ca.pem"));
  const TlsContext server = MakeServer(options);
  TlsClientOptions with = TestClientOptions();
  with.certificate = TestCertificate("client");
  const TlsContext client = MakeClient(with);
  auto main = [&]() -> Task<void> {
    for (int i = 0; i < 2; ++i) {  // full, then resumed
      Handshaken both = co_await Shake(server, client);
      EXPECT_TRUE(both.client.ok() && both.server.ok());
      EXPECT_EQ(co_await Talk(*both.client, *both.server), absl::OkStatus());
      EXPECT_EQ(both.server->info().resumed, i == 1);
      const auto peer = both.server->peer_certificate();
      EXPECT_TRUE(peer.has_value());
      EXPECT_EQ(peer->subject, "CN=client one");
      EXPECT_THAT(peer->dns_names, UnorderedElementsAre("one.client.test"));
      EXPECT_THAT(peer->emails, UnorderedElementsAre("one@client.test"));
      EXPECT_EQ(peer->sha256.size(), 64u);
    }
  };
  Run(main());
}

TEST_P(TlsHandshakeTest, ClientsWithoutOneOrWithAnothersAreRefused) {
  TlsServerOptions options = ServerOptions();
  options.client_certificates = ClientCertificates::kRequired;
  options.client_roots = TlsPem::File(CertificateFile("ca.pem"));
  const TlsContext required = MakeServer(options);
  options.client_certificates = ClientCertificates::kOptional;
  const TlsContext optional = MakeServer(options);
  TlsClientOptions stranger = TestClientOptions();
  stranger.certificate = TestCertificate("stranger");
  auto main = [&]() -> Task<void> {
    Handshaken none = co_await Shake(required, client_context());
    EXPECT_TRUE(absl::IsUnauthenticated(none.server.status()))
        << none.server.status();
    // A client of TLS 1.3 learns it when it reads.
    absl::Status told = none.client.status();
    if (told.ok()) told = (co_await ReceiveSome(*none.client)).status();
    EXPECT_TRUE(absl::IsAborted(told)) << told;

    Handshaken fine = co_await Shake(optional, client_context());
    EXPECT_TRUE(fine.server.ok());
    EXPECT_FALSE(fine.server->peer_certificate().has_value());

    Handshaken other = co_await Shake(optional, MakeClient(stranger));
    EXPECT_TRUE(absl::IsUnauthenticated(other.server.status()));
    EXPECT_THAT(std::string(other.server.status().message()),
                HasSubstr("CN=stranger"));
    EXPECT_EQ(optional.statistics().unauthenticated, 1u);
  };
  Run(main());
}

// --- What a client accepts

TEST_P(TlsHandshakeTest, PinnedKeys) {
  TlsClientOptions learn = TestClientOptions();
  auto main = [&]() -> Task<void> {
    for (const bool verify : {true, false}) {
      TlsClientOptions pinned = TestClientOptions();
      pinned.verify = verify;
      pinned.pinned_keys = {std::string(64, '0')};
      Handshaken wrong = co_await Shake(server_context(), MakeClient(pinned));
      EXPECT_TRUE(absl::IsUnauthenticated(wrong.client.status()));
      EXPECT_THAT(std::string(wrong.client.status().message()),
                  HasSubstr("no key of its chain is pinned"));
      // openssl x509 -in server.pem -noout -pubkey | openssl pkey -pubin
      //   -outform der | sha256sum
      std::ifstream file(CertificateFile("server.pin"));
      std::string hash;
      file >> hash;
      pinned.pinned_keys.push_back(hash);
      Handshaken right = co_await Shake(server_context(), MakeClient(pinned));
      EXPECT_TRUE(right.client.ok()) << right.client.status();
    }
  };
  Run(main());
}

TEST_P(TlsHandshakeTest, WithoutVerificationEveryCertificatePasses) {
  TlsServerOptions options = ServerOptions();
  options.certificates = {TestCertificate("expired")};
  TlsClientOptions insecure;
  insecure.verify = false;
  auto main = [&]() -> Task<void> {
    Handshaken both = co_await Shake(MakeServer(options), MakeClient(insecure),
                                     "no.such.name");
    EXPECT_TRUE(both.client.ok()) << both.client.status();
  };
  Run(main());
}

TEST_P(TlsHandshakeTest, AStapledResponseReachesTheClient) {
  TlsServerOptions options = ServerOptions();
  options.certificates[0].ocsp_file = CertificateFile("server.ocsp");
  const TlsContext server = MakeServer(options);
  TlsClientOptions asks = TestClientOptions();
  asks.request_ocsp = true;
  auto main = [&]() -> Task<void> {
    Handshaken both = co_await Shake(server, MakeClient(asks));
    std::ifstream file(CertificateFile("server.ocsp"));
    std::stringstream content;
    content << file.rdbuf();
    EXPECT_TRUE(ValueOf(std::move(both.client)).info().ocsp == content.str());
    Handshaken silent = co_await Shake(server, client_context());
    EXPECT_EQ(ValueOf(std::move(silent.client)).info().ocsp, "");
  };
  Run(main());
}

TEST_P(TlsHandshakeTest, VersionsThatDoNotMeetFail) {
  TlsClientOptions options = TestClientOptions();
  const bool server_has_13 = Version() == TlsVersion::kTls13;
  options.min_version = options.max_version =
      server_has_13 ? TlsVersion::kTls12 : TlsVersion::kTls13;
  auto main = [&]() -> Task<void> {
    Handshaken both = co_await Shake(server_context(), MakeClient(options));
    EXPECT_THAT(std::string(both.client.status().message()),
                HasSubstr("protocol version"));
    EXPECT_TRUE(absl::IsAborted(both.server.status()));
  };
  Run(main());
}

}  // namespace
}  // namespace ringway::net
