// SPDX-License-Identifier: Apache-2.0
//
// Engines whose output the kernel encrypts, with a kernel that the tests play.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "openssl/ssl.h"
#include "ringway/net/tls/engine/tls_engine.h"
#include "ringway/net/tls/kernel/kernel_keys.h"
#include "ringway/net/tls/testing/engine_pair.h"
#include "ringway/net/tls/testing/test_certificates.h"

namespace ringway::net::internal {
namespace {

#ifdef OPENSSL_NO_KTLS
constexpr bool kOpenSslHasIt = false;
#else
constexpr bool kOpenSslHasIt = true;
#endif

using testing::EnginePair;
using testing::MakeClient;
using testing::MakeServer;
using testing::TestClientOptions;
using testing::TestServerOptions;

struct Agreed {
  TlsVersion version;
  const char* cipher;  // both OpenSSL's names of it
  const char* name;
};

constexpr auto kAgreed = std::to_array<Agreed>({
    {TlsVersion::kTls12, "ECDHE-ECDSA-AES128-GCM-SHA256", "Tls12Aes128"},
    {TlsVersion::kTls12, "ECDHE-ECDSA-AES256-GCM-SHA384", "Tls12Aes256"},
    {TlsVersion::kTls12, "ECDHE-ECDSA-CHACHA20-POLY1305", "Tls12ChaCha20"},
    {TlsVersion::kTls13, "TLS_AES_128_GCM_SHA256", "Tls13Aes128"},
    {TlsVersion::kTls13, "TLS_AES_256_GCM_SHA384", "Tls13Aes256"},
    {TlsVersion::kTls13, "TLS_CHACHA20_POLY1305_SHA256", "Tls13ChaCha20"},
});

class KernelEncryptsTest : public ::testing::TestWithParam<Agreed> {
 protected:
  void SetUp() override {
    if (!kOpenSslHasIt) GTEST_SKIP() << "OpenSSL is built without kernel TLS";
  }

  static TlsClientOptions ClientOptions() {
    TlsClientOptions options = TestClientOptions();
    options.max_version = GetParam().version;
    if (GetParam().version == TlsVersion::kTls12) {
      options.ciphers = GetParam().cipher;
    } else {
      options.cipher_suites = GetParam().cipher;
    }
    return options;
  }

  // After the handshake; the kernel encrypts for both.
  EnginePair Shaken() {
    EnginePair pair(server_, client_);
    pair.server().engine().OfferKernel(KernelCiphers::All());
    pair.client().engine().OfferKernel(KernelCiphers::All());
    EXPECT_TRUE(pair.Handshake());
    EXPECT_TRUE(pair.server().engine().kernel_encrypts());
    EXPECT_TRUE(pair.client().engine().kernel_encrypts());
    return pair;
  }

  TlsContext server_ = MakeServer(TestServerOptions());
  TlsContext client_ = MakeClient(ClientOptions());
};

INSTANTIATE_TEST_SUITE_P(Agreed, KernelEncryptsTest,
                         ::testing::ValuesIn(kAgreed),
                         [](const ::testing::TestParamInfo<Agreed>& i) {
                           return std::string(i.param.name);
                         });

TEST_P(KernelEncryptsTest, BytesGoBothWays) {
  EnginePair pair = Shaken();
  std::string sent;
  for (int i = 0; i < 300; ++i) {
    sent += std::to_string(i);
    pair.client().Send(std::to_string(i));
    pair.server().Send(std::to_string(i));
    pair.FromClient();
    pair.FromServer();
  }
  EXPECT_EQ(pair.server().plaintext(), sent);
  EXPECT_EQ(pair.client().plaintext(), sent);
}

TEST_P(KernelEncryptsTest, OneSideIsEnough) {
  for (const bool server : {true, false}) {
    EnginePair pair(server_, client_);
    (server ? pair.server() : pair.client())
        .engine()
        .OfferKernel(KernelCiphers::All());
    ASSERT_TRUE(pair.Handshake());
    EXPECT_EQ(pair.server().engine().kernel_encrypts(), server);
    EXPECT_EQ(pair.client().engine().kernel_encrypts(), !server);
    pair.client().Send("question");
    pair.FromClient();
    pair.server().Send("answer");
    pair.FromServer();
    EXPECT_EQ(pair.server().plaintext(), "question");
    EXPECT_EQ(pair.client().plaintext(), "answer");
  }
}

TEST_P(KernelEncryptsTest, TheEndIsARecordOfItsOwn) {
  EnginePair pair = Shaken();
  pair.client().Send("last");
  EXPECT_EQ(pair.client().engine().Shutdown(), TlsStep::kDone);
  EXPECT_TRUE(pair.client().engine().output().bytes().empty());
  std::span<const std::byte> records =
      pair.client().engine().output().records();
  EXPECT_EQ(OutputBuffer::TakeRecord(records).type, SSL3_RT_ALERT);
  EXPECT_TRUE(records.empty());
  pair.FromClient();
  EXPECT_EQ(pair.server().plaintext(), "last");
  EXPECT_EQ(pair.server().step(), TlsStep::kEnd);
}

// A client learns of its session from records that the kernel encrypts.
TEST_P(KernelEncryptsTest, SessionsAreResumed) {
  for (const bool resumed : {false, true}) {
    EnginePair pair = Shaken();
    pair.server().Send("tickets come first");
    pair.FromServer();
    EXPECT_EQ(SSL_session_reused(&pair.client().ssl()), resumed ? 1 : 0);
    // OpenSSL forgets the session of a connection without an end.
    EXPECT_EQ(pair.client().engine().Shutdown(), TlsStep::kDone);
  }
}

TEST_P(KernelEncryptsTest, ACipherThatTheKernelLacksIsOpenSslsWork) {
  KernelCiphers others;
  const std::string own = GetParam().name;
  for (size_t i = 0; i < kAgreed.size(); ++i) {
    if (kAgreed[i].name != own) others.Add(AllKernelCiphers()[i]);
  }
  EnginePair pair(server_, client_);
  pair.server().engine().OfferKernel(others);
  pair.client().engine().OfferKernel(others);
  ASSERT_TRUE(pair.Handshake());
  EXPECT_FALSE(pair.server().engine().kernel_encrypts());
  EXPECT_FALSE(pair.client().engine().kernel_encrypts());
  pair.client().Send("question");
  pair.FromClient();
  EXPECT_EQ(pair.server().plaintext(), "question");
}

TEST_P(KernelEncryptsTest, ADamagedRecordIsAnsweredByAnAlert) {
  EnginePair pair = Shaken();
  pair.client().Send("question");
  std::string damaged = pair.client().TakeOutput();
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  pair.server().Deliver(damaged);
  EXPECT_EQ(pair.server().step(), TlsStep::kFailed);
  pair.FromServer();
  EXPECT_EQ(pair.client().step(), TlsStep::kFailed);
  EXPECT_EQ(pair.client().error().message(),
            "the peer sent the alert \"bad record mac\"");
}

// A client that OpenSSL encrypts for asks the server for new keys.
TEST_P(KernelEncryptsTest, NewKeysAreRefusedToThePeer) {
  if (GetParam().version == TlsVersion::kTls12) {
    GTEST_SKIP() << "TLS 1.2 has no new keys";
  }
  EnginePair pair(server_, client_);
  pair.server().engine().OfferKernel(KernelCiphers::All());
  ASSERT_TRUE(pair.Handshake());
  ASSERT_EQ(SSL_key_update(&pair.client().ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
  pair.client().Send("after it");
  pair.FromClient();
  EXPECT_EQ(pair.server().plaintext(), "after it");
  EXPECT_EQ(pair.server().step(), TlsStep::kFailed);
  EXPECT_TRUE(absl::IsUnimplemented(pair.server().error()))
      << pair.server().error();
  pair.FromServer();
  EXPECT_EQ(pair.client().error().message(),
            "the peer sent the alert \"internal error\"");
}

TEST_P(KernelEncryptsTest, NewKeysOfThePeersOwnAreFollowed) {
  if (GetParam().version == TlsVersion::kTls12) {
    GTEST_SKIP() << "TLS 1.2 has no new keys";
  }
  EnginePair pair(server_, client_);
  pair.server().engine().OfferKernel(KernelCiphers::All());
  ASSERT_TRUE(pair.Handshake());
  ASSERT_EQ(SSL_key_update(&pair.client().ssl(), SSL_KEY_UPDATE_NOT_REQUESTED),
            1);
  pair.client().Send("after it");
  pair.FromClient();
  EXPECT_EQ(pair.server().plaintext(), "after it");
  pair.server().Send("answer");
  pair.FromServer();
  EXPECT_EQ(pair.client().plaintext(), "answer");
}

}  // namespace
}  // namespace ringway::net::internal
