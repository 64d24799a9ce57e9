// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/engine/tls_engine.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/net/tls/testing/engine_pair.h"
#include "ringway/net/tls/testing/test_certificates.h"

namespace ringway::net::internal {
namespace {

using testing::EnginePair;
using ::testing::HasSubstr;
using testing::MakeClient;
using testing::MakeServer;
using testing::TestCertificate;
using testing::TestClientOptions;
using testing::TestServerOptions;

// Each test with both versions.
class TlsEngineTest : public ::testing::TestWithParam<TlsVersion> {
 protected:
  static TlsServerOptions ServerOptions() {
    TlsServerOptions options = TestServerOptions();
    options.max_version = GetParam();
    return options;
  }

  TlsContext server_ = MakeServer(ServerOptions());
  TlsContext client_ = MakeClient();
};

INSTANTIATE_TEST_SUITE_P(
    Versions, TlsEngineTest,
    ::testing::Values(TlsVersion::kTls12, TlsVersion::kTls13),
    [](const ::testing::TestParamInfo<TlsVersion>& i) {
      return std::string(i.param == TlsVersion::kTls12 ? "Tls12" : "Tls13");
    });

// A record's header: type, version 1.2, length.
std::string Header(uint8_t type, size_t length) {
  const std::array<uint8_t, 5> bytes = {type, 3, 3,
                                        static_cast<uint8_t>(length >> 8),
                                        static_cast<uint8_t>(length)};
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

constexpr uint8_t kAlert = 21;
constexpr uint8_t kHandshake = 22;
constexpr uint8_t kData = 23;

TEST_P(TlsEngineTest, CarriesBytesBothWays) {
  EnginePair pair(server_, client_);
  ASSERT_TRUE(pair.Handshake());
  pair.client().Send("question");
  pair.FromClient();
  pair.server().Send("answer");
  pair.FromServer();
  EXPECT_EQ(pair.server().plaintext(), "question");
  EXPECT_EQ(pair.client().plaintext(), "answer");
  EXPECT_EQ(SSL_version(&pair.client().ssl()),
            GetParam() == TlsVersion::kTls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
}

// All input is used by then, but not all of it has been read.
TEST_P(TlsEngineTest, ARecordIsReadInParts) {
  EnginePair pair(server_, client_);
  ASSERT_TRUE(pair.Handshake());
  pair.client().Send("abcde");
  const std::string record = pair.client().TakeOutput();
  TlsEngine& server = pair.server().engine();
  server.SetInput(std::as_bytes(std::span(record)));
  std::array<char, 2> part = {};
  std::string read;
  size_t n = 0;
  while (server.Read(std::as_writable_bytes(std::span(part)), n) ==
         TlsStep::kDone) {
    EXPECT_TRUE(server.input().empty());
    read.append(part.data(), n);
  }
  EXPECT_EQ(read, "abcde");
  EXPECT_EQ(server.Read(std::as_writable_bytes(std::span(part)), n),
            TlsStep::kWantInput);
}

TEST_P(TlsEngineTest, HandshakesInPiecesOfAnySize) {
  for (const size_t piece : {1, 2, 3, 5, 7, 100, 1000}) {
    EnginePair pair(server_, client_);
    ASSERT_TRUE(pair.Handshake(piece)) << piece;
    pair.client().Send("hello");
    pair.FromClient();
    EXPECT_EQ(pair.server().plaintext(), "hello");
  }
}

// A handshake whose bytes, of either side, arrive with a cut after `cut`.
// Returns the bytes of the longer side.
size_t HandshakeCutAt(const TlsContext& server, const TlsContext& client,
                      size_t cut) {
  EnginePair pair(server, client);
  pair.client().Deliver("");
  std::array<size_t, 2> passed = {};
  bool progress = true;
  while (progress) {
    progress = false;
    for (const bool to_server : {true, false}) {
      auto& from = to_server ? pair.client() : pair.server();
      auto& to = to_server ? pair.server() : pair.client();
      const std::string bytes = from.TakeOutput();
      if (bytes.empty()) continue;
      progress = true;
      const size_t before =
          std::min(bytes.size(), cut - std::min(cut, passed[to_server]));
      to.Deliver(bytes.substr(0, before));
      to.Deliver(bytes.substr(before));
      passed[to_server] += bytes.size();
    }
  }
  EXPECT_TRUE(pair.client().engine().handshake_done()) << cut;
  EXPECT_TRUE(pair.server().engine().handshake_done()) << cut;
  return std::max(passed[0], passed[1]);
}

TEST_P(TlsEngineTest, HandshakesCutAtEveryOffset) {
  size_t n_bytes = 1;
  for (size_t cut = 0; cut < n_bytes; ++cut)
    n_bytes = std::max(n_bytes, HandshakeCutAt(server_, client_, cut));
  EXPECT_GT(n_bytes, 500u);
}

TEST_P(TlsEngineTest, EndWithinAHandshakeIsTruncation) {
  EnginePair whole(server_, client_);
  whole.client().Deliver("");
  const std::string hello = whole.client().TakeOutput();
  for (const size_t cut : {size_t{0}, size_t{3}, size_t{50}, hello.size()}) {
    EnginePair pair(server_, client_);
    pair.server().Deliver(hello.substr(0, cut));
    pair.server().DeliverEnd();
    EXPECT_EQ(pair.server().step(), TlsStep::kFailed);
    EXPECT_TRUE(absl::IsDataLoss(pair.server().error()))
        << pair.server().error();
  }
}

TEST_P(TlsEngineTest, EndWithoutCloseNotifyIsDataLoss) {
  EnginePair pair(server_, client_);
  ASSERT_TRUE(pair.Handshake());
  pair.client().Send("all");
  pair.FromClient();
  pair.server().DeliverEnd();
  EXPECT_EQ(pair.server().plaintext(), "all");
  EXPECT_EQ(pair.server().step(), TlsStep::kFailed);
  EXPECT_TRUE(absl::IsDataLoss(pair.server().error()));
  EXPECT_THAT(std::string(pair.server().error().message()),
              HasSubstr("close_notify"));
}

TEST_P(TlsEngineTest, EndWithinARecordIsDataLoss) {
  EnginePair pair(server_, client_);
  ASSERT_TRUE(pair.Handshake());
  pair.client().Send("half a record");
  const std::string record = pair.client().TakeOutput();
  pair.server().Deliver(record.substr(0, record.size() / 2));
  EXPECT_EQ(pair.server().step(), TlsStep::kWantInput);
  pair.server().DeliverEnd();
  EXPECT_TRUE(absl::IsDataLoss(pair.server().error()));
}

TEST_P(TlsEngineTest, CloseNotifyIsTheEndAndTheOtherDirectionGoesOn) {
  EnginePair pair(server_, client_);
  ASSERT_TRUE(pair.Handshake());
  pair.client().Send("last");
  ASSERT_EQ(pair.client().engine().Shutdown(), TlsStep::kDone);
  pair.FromClient();
  EXPECT_EQ(pair.server().plaintext(), "last");
  EXPECT_EQ(pair.server().step(), TlsStep::kEnd);
  // The end of the transport changes nothing then.
  pair.server().DeliverEnd();
  EXPECT_EQ(pair.server().step(), TlsStep::kEnd);

  pair.server().Send("a late answer");
  ASSERT_EQ(pair.server().engine().Shutdown(), TlsStep::kDone);
  pair.FromServer();
  EXPECT_EQ(pair.client().plaintext(), "a late answer");
  EXPECT_EQ(pair.client().step(), TlsStep::kEnd);
}

TEST_P(TlsEngineTest, ShutdownIsSentOnce) {
  EnginePair pair(server_, client_);
  ASSERT_TRUE(pair.Handshake());
  ASSERT_EQ(pair.client().engine().Shutdown(), TlsStep::kDone);
  EXPECT_FALSE(pair.client().TakeOutput().empty());
  ASSERT_EQ(pair.client().engine().Shutdown(), TlsStep::kDone);
  EXPECT_TRUE(pair.client().TakeOutput().empty());
}

TEST_P(TlsEngineTest, KnowsTheRecordAtTheFrontOfItsInput) {
  EnginePair pair(server_, client_);
  ASSERT_TRUE(pair.Handshake());
  pair.client().Send("first");
  const size_t first = pair.client().engine().output().size();
  pair.client().Send("second");
  const std::string records = pair.client().TakeOutput();
  TlsEngine& server = pair.server().engine();
  server.SetInput(std::as_bytes(std::span(records)));
  EXPECT_EQ(server.FrontRecordBytes(), first);
  std::array<std::byte, 3> to;
  size_t n = 0;
  ASSERT_EQ(server.Read(to, n), TlsStep::kDone);
  EXPECT_EQ(n, 3u);
  EXPECT_EQ(server.DecryptedBytes(), 2u);
  EXPECT_EQ(server.FrontRecordBytes(), records.size() - first);
  // Not all of it is there.
  server.SetInput(server.input().first(server.input().size() - 1));
  EXPECT_EQ(server.FrontRecordBytes(), 0u);
}

// --- Certificates

TEST_P(TlsEngineTest, RefusedCertificatesAreNamedWithTheReason) {
  struct Case {
    const char* certificate;
    const char* host;
    const char* reason;
  };
  for (const Case& c :
       {Case{"expired", "server.test", "certificate has expired"},
        Case{"stranger", "server.test", "unable to get local issuer"},
        Case{"server", "other.test", "hostname mismatch; it is for"},
        Case{"server", "127.0.0.2", "IP address mismatch; it is for"}}) {
    TlsServerOptions options = ServerOptions();
    options.certificates = {TestCertificate(c.certificate)};
    EnginePair pair(MakeServer(options), client_, c.host);
    EXPECT_FALSE(pair.Handshake());
    EXPECT_TRUE(absl::IsUnauthenticated(pair.client().error()));
    EXPECT_THAT(std::string(pair.client().error().message()),
                HasSubstr(c.reason));
    EXPECT_THAT(std::string(pair.client().error().message()), HasSubstr("CN="));
    // The server hears of it.
    EXPECT_TRUE(absl::IsAborted(pair.server().error()))
        << pair.server().error();
    EXPECT_THAT(std::string(pair.server().error().message()),
                HasSubstr("the peer sent the alert"));
  }
}

TEST_P(TlsEngineTest, AnAddressIsVerifiedAsOne) {
  EnginePair pair(server_, client_, "127.0.0.1");
  EXPECT_TRUE(pair.Handshake()) << pair.client().error();
}

// --- Hostile peers

TEST_P(TlsEngineTest, GarbageIsAProtocolError) {
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(100, '\0'),
        std::string(100, '\xff'), Header(kHandshake, 0) + Header(kHandshake, 0),
        Header(99, 10) + std::string(10, 'x')}) {
    EnginePair pair(server_, client_);
    pair.server().Deliver(garbage);
    pair.server().DeliverEnd();
    EXPECT_EQ(pair.server().step(), TlsStep::kFailed);
    EXPECT_FALSE(pair.server().error().ok());
  }
}

TEST_P(TlsEngineTest, HttpIsRecognised) {
  EnginePair pair(server_, client_);
  pair.server().Deliver("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(absl::IsAborted(pair.server().error()));
  EXPECT_THAT(std::string(pair.server().error().message()),
              HasSubstr("http request"));
}

TEST_P(TlsEngineTest, OversizedRecordsEndTheConnection) {
  EnginePair pair(server_, client_);
  ASSERT_TRUE(pair.Handshake());
  pair.server().Deliver(Header(kData, 0xffff) + std::string(1000, 'x'));
  EXPECT_EQ(pair.server().step(), TlsStep::kFailed);
  EXPECT_TRUE(absl::IsAborted(pair.server().error()));
  EXPECT_FALSE(pair.server().TakeOutput().empty()) << "no alert";
}

TEST_P(TlsEngineTest, AChangedByteEndsTheConnection) {
  EnginePair pair(server_, client_);
  ASSERT_TRUE(pair.Handshake());
  pair.client().Send("a message");
  std::string record = pair.client().TakeOutput();
  record.back() ^= 1;
  pair.server().Deliver(record);
  EXPECT_TRUE(absl::IsAborted(pair.server().error()));
  EXPECT_EQ(pair.server().plaintext(), "");
  // Writing has ended, too, and what follows is not read.
  EXPECT_EQ(pair.server().engine().Write(std::as_bytes(std::span("x"))),
            TlsStep::kFailed);
  pair.server().Deliver(Header(kData, 20) + std::string(20, 'x'));
  EXPECT_EQ(pair.server().step(), TlsStep::kFailed);
}

// Plaintext alerts and data where they are not allowed, in every state.
TEST_P(TlsEngineTest, UnprotectedRecordsInAnyStateNeverPass) {
  const std::string fatal = Header(kAlert, 2) + std::string("\x02\x28", 2);
  const std::string data = Header(kData, 5) + "plain";
  const std::string many(1000, '\x16');
  for (int state = 0; state < 4; ++state) {
    for (const std::string& hostile : {fatal, data, many}) {
      EnginePair pair(server_, client_);
      pair.client().Deliver("");
      for (int i = 0; i < state; ++i) pair.Exchange();
      pair.server().Deliver(hostile);
      pair.server().DeliverEnd();
      EXPECT_EQ(pair.server().step(), TlsStep::kFailed) << "state " << state;
      EXPECT_EQ(pair.server().plaintext(), "");
    }
  }
}

TEST_P(TlsEngineTest, ManyEmptyRecordsEndTheConnection) {
  EnginePair pair(server_, client_);
  pair.client().Deliver("");
  std::string empty;
  for (int i = 0; i < 100; ++i) empty += Header(kHandshake, 0);
  pair.server().Deliver(empty);
  EXPECT_EQ(pair.server().step(), TlsStep::kFailed);
}

// Each handshake in a field of 8192 bits would cost a loop 19 ms.
TEST(TlsEngine, NoClientChoosesAnExpensiveGroup) {
  for (const char* group : {"ffdhe2048", "ffdhe8192", "P-521", "X448", "X25519",
                            "P-256", "P-384"}) {
    EnginePair pair(MakeServer(), MakeClient());
    std::string name = group;
    ASSERT_EQ(SSL_set1_groups_list(&pair.client().ssl(), name.data()), 1)
        << group;
    const bool cheap = name == "X25519" || name == "P-256" || name == "P-384";
    EXPECT_EQ(pair.Handshake(), cheap) << group;
  }
}

// --- What the protocol does by itself

TEST(TlsEngine, RenegotiationIsRefused) {
  TlsServerOptions options = TestServerOptions();
  options.max_version = TlsVersion::kTls12;
  EnginePair pair(MakeServer(options), MakeClient());
  ASSERT_TRUE(pair.Handshake());
  SSL_clear_options(&pair.client().ssl(), SSL_OP_NO_RENEGOTIATION);
  ASSERT_EQ(SSL_renegotiate(&pair.client().ssl()), 1);
  SSL_do_handshake(&pair.client().ssl());
  pair.FromClient();
  // A warning, and the connection goes on as it was (RFC 5246, section 7.2.2).
  pair.FromServer();
  EXPECT_TRUE(
      absl::StrContains(pair.client().error().ToString(), "no renegotiation"))
      << pair.client().error();
}

TEST(TlsEngine, AKeyUpdateIsAnswered) {
  EnginePair pair(MakeServer(), MakeClient());
  ASSERT_TRUE(pair.Handshake());
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(SSL_key_update(&pair.client().ssl(), SSL_KEY_UPDATE_REQUESTED),
              1);
    pair.client().Send("new key;");
    pair.FromClient();
    pair.server().Send("too;");
    EXPECT_FALSE(pair.server().engine().output().empty());
    pair.FromServer();
  }
  EXPECT_EQ(pair.server().plaintext(), "new key;new key;new key;");
  EXPECT_EQ(pair.client().plaintext(), "too;too;too;");
}

TEST(TlsEngine, ALargeRecordFitsIntoItsLimits) {
  EnginePair pair(MakeServer(), MakeClient());
  ASSERT_TRUE(pair.Handshake());
  pair.client().TakeOutput();
  const std::string large(TlsEngine::kMostRecordBytes, 'x');
  pair.client().Send(large);
  EXPECT_LE(pair.client().engine().output().size(),
            TlsEngine::kMostRecordBytes + TlsEngine::kMostOverheadBytes);
  pair.FromClient();
  EXPECT_EQ(pair.server().plaintext().size(), large.size());
}

}  // namespace
}  // namespace ringway::net::internal
