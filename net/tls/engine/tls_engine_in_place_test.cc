// SPDX-License-Identifier: Apache-2.0
//
// TlsEngine::WriteInPlace(): records that are sent from OpenSSL's memory, which
// must stay as they are until they have left.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"
#include "ringway/net/tls/engine/output_buffer.h"
#include "ringway/net/tls/engine/tls_engine.h"
#include "ringway/net/tls/testing/engine_pair.h"
#include "ringway/net/tls/testing/test_certificates.h"
#include "ringway/net/tls/tls_context.h"

namespace ringway::net::internal {
namespace {

using testing::EngineEnd;
using testing::EnginePair;
using testing::MakeClient;
using testing::MakeServer;
using testing::TestServerOptions;

class TlsEngineInPlaceTest : public ::testing::TestWithParam<TlsVersion> {
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
    Versions, TlsEngineInPlaceTest,
    ::testing::Values(TlsVersion::kTls12, TlsVersion::kTls13),
    [](const ::testing::TestParamInfo<TlsVersion>& i) {
      return std::string(i.param == TlsVersion::kTls12 ? "Tls12" : "Tls13");
    });

std::string TextOf(const OutputBuffer& output) {
  return {reinterpret_cast<const char*>(output.bytes().data()), output.size()};
}

// What WriteInPlace() has made is sent from where it is.
std::string SendInPlace(EngineEnd& end, std::string_view text) {
  TlsEngine& engine = end.engine();
  EXPECT_EQ(engine.WriteInPlace(std::as_bytes(std::span(text))),
            TlsStep::kDone);
  EXPECT_TRUE(engine.output().in_place());
  EXPECT_EQ(engine.output().capacity(), 0u);
  std::string sent = end.TakeOutput();
  engine.EndInPlace();
  return sent + end.TakeOutput();
}

TEST_P(TlsEngineInPlaceTest, ARecordIsSentFromWhereItWasMade) {
  EnginePair pair(server_, client_);
  ASSERT_TRUE(pair.Handshake());
  std::string all;
  for (const size_t size : {1, 4096, 16384}) {
    const std::string text(size, 'x');
    pair.client().Deliver(SendInPlace(pair.server(), text));
    pair.server().Send("and one that is copied");
    pair.FromServer();
    all += text + "and one that is copied";
  }
  EXPECT_EQ(pair.client().plaintext(), all);
}

TEST_P(TlsEngineInPlaceTest, ReadsWhileARecordIsBeingSent) {
  EnginePair pair(server_, client_);
  ASSERT_TRUE(pair.Handshake());
  const std::string text(5000, 'y');
  TlsEngine& server = pair.server().engine();
  ASSERT_EQ(server.WriteInPlace(std::as_bytes(std::span(text))),
            TlsStep::kDone);
  const OutputBuffer record = std::move(server.output());
  const std::string before(reinterpret_cast<const char*>(record.bytes().data()),
                           record.size());
  pair.client().Send("meanwhile");
  pair.FromClient();
  EXPECT_EQ(pair.server().plaintext(), "meanwhile");
  EXPECT_EQ(TextOf(record), before);
  server.EndInPlace();
  EXPECT_TRUE(server.output().empty());
  pair.client().Deliver(before);
  EXPECT_EQ(pair.client().plaintext(), text);
}

// OpenSSL has an alert to send then, and no place to put it.
TEST_P(TlsEngineInPlaceTest, ReadingFailsWhileARecordIsBeingSent) {
  EnginePair pair(server_, client_);
  ASSERT_TRUE(pair.Handshake());
  const std::string text(5000, 'y');
  TlsEngine& server = pair.server().engine();
  ASSERT_EQ(server.WriteInPlace(std::as_bytes(std::span(text))),
            TlsStep::kDone);
  const OutputBuffer record = std::move(server.output());
  const std::string before(reinterpret_cast<const char*>(record.bytes().data()),
                           record.size());
  pair.server().Deliver("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(pair.server().step(), TlsStep::kFailed);
  EXPECT_EQ(TextOf(record), before);
  server.EndInPlace();
  pair.client().Deliver(before);
  EXPECT_EQ(pair.client().plaintext(), text);
  EXPECT_EQ(server.Write(std::as_bytes(std::span(text))), TlsStep::kFailed);
}

// It goes out before the record for which there was a place.
TEST(TlsEngineInPlace, AKeyUpdateIsAnsweredBeforeARecordInPlace) {
  EnginePair pair(MakeServer(), MakeClient());
  ASSERT_TRUE(pair.Handshake());
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(SSL_key_update(&pair.client().ssl(), SSL_KEY_UPDATE_REQUESTED),
              1);
    pair.client().Send("new key;");
    pair.FromClient();
    pair.client().Deliver(SendInPlace(pair.server(), "too;"));
  }
  EXPECT_EQ(pair.client().plaintext(), "too;too;too;");
}

}  // namespace
}  // namespace ringway::net::internal
