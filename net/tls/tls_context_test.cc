// SPDX-License-Identifier: Apache-2.0
//
// Options and files: what is accepted, and what errors say.

#include "ringway/net/tls/tls_context.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ringway/net/tls/testing/engine_pair.h"
#include "ringway/net/tls/testing/test_certificates.h"

namespace ringway::net {
namespace {

using testing::CertificateFile;
using testing::EnginePair;
using ::testing::HasSubstr;
using testing::MakeClient;
using testing::MakeServer;
using testing::TestCertificate;
using testing::TestClientOptions;
using testing::TestServerOptions;

std::string Read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

void Write(const std::string& path, const std::string& content) {
  std::ofstream file(path);
  file << content;
}

std::string Temporary(std::string_view name) {
  return absl::StrCat(::testing::TempDir(), "/", std::string(name));
}

std::string ErrorOf(const TlsServerOptions& options) {
  return TlsContext::Server(options).status().ToString();
}
std::string ErrorOf(const TlsClientOptions& options) {
  return TlsContext::Client(options).status().ToString();
}

TEST(TlsContext, ErrorsNameTheOptionTheFileAndTheReason) {
  TlsServerOptions options;
  EXPECT_THAT(ErrorOf(options), HasSubstr("certificates: a server needs one"));

  options.certificates.push_back(
      TlsCertificate(TlsPem::File("/no/such.pem"), TlsPem()));
  EXPECT_THAT(ErrorOf(options),
              HasSubstr("NOT_FOUND: certificates[0].chain: /no/such.pem"));

  options.certificates[0].chain = TlsPem::Text("nothing");
  EXPECT_THAT(ErrorOf(options),
              HasSubstr("certificates[0].chain: the text has no certificate"));

  const std::string good = Read(CertificateFile("server.pem"));
  const std::string broken = Temporary("broken.pem");
  Write(broken, absl::StrCat("text\n", good,
                             "-----BEGIN CERTIFICATE-----\n!!!\n"
                             "-----END CERTIFICATE-----\n"));
  options.certificates[0].chain = TlsPem::File(broken);
  EXPECT_THAT(ErrorOf(options), HasSubstr(broken));
  EXPECT_THAT(ErrorOf(options), HasSubstr(", entry 2 (CERTIFICATE): "));
  EXPECT_THAT(ErrorOf(options), HasSubstr(", line "));

  options.certificates[0].chain = TlsPem::Text(good);
  options.certificates[0].key = TlsPem::Text(
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII=\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n");
  EXPECT_THAT(ErrorOf(options), HasSubstr("certificates[0].key: the text, line "
                                          "1, entry 1 (ENCRYPTED PRIVATE KEY): "
                                          "the key is encrypted"));

  options.certificates[0].key = TestCertificate("exact").key;
  EXPECT_THAT(ErrorOf(options),
              HasSubstr("certificates[0]: the key does not belong to"));
  options.certificates[0].chain = TlsPem::File(CertificateFile("server.pem"));
  EXPECT_THAT(ErrorOf(options), HasSubstr(CertificateFile("server.pem")));

  options.certificates[0].key = TestCertificate("server").key;
  options.certificates[0].ocsp_file = "/no/such.ocsp";
  EXPECT_THAT(ErrorOf(options), HasSubstr("certificates[0].ocsp_file: "));
}

TEST(TlsContext, ErrorsOfOptions) {
  TlsServerOptions server = TestServerOptions();
  server.client_certificates = ClientCertificates::kOptional;
  EXPECT_THAT(ErrorOf(server), HasSubstr("client_roots"));
  server = TestServerOptions();
  server.ciphers = "NOSUCH";
  EXPECT_THAT(ErrorOf(server), HasSubstr("ciphers: \"NOSUCH\""));
  server = TestServerOptions();
  server.cipher_suites = "NOSUCH";
  EXPECT_THAT(ErrorOf(server), HasSubstr("cipher_suites: \"NOSUCH\""));
  server = TestServerOptions();
  server.alpn = {"fine", ""};
  EXPECT_THAT(ErrorOf(server), HasSubstr("alpn[1]"));
  server = TestServerOptions();
  server.min_version = TlsVersion::kTls13;
  server.max_version = TlsVersion::kTls12;
  EXPECT_THAT(ErrorOf(server), HasSubstr("min_version"));
  server = TestServerOptions();
  server.max_handshakes = 0;
  EXPECT_THAT(ErrorOf(server), HasSubstr("max_handshakes"));
  server = TestServerOptions();
  server.ticket_key_lifetime = absl::Hours(24 * 8);
  EXPECT_THAT(ErrorOf(server), HasSubstr("ticket_key_lifetime"));
  server = TestServerOptions();
  server.handshake_timeout = absl::ZeroDuration();
  EXPECT_THAT(ErrorOf(server), HasSubstr("handshake_timeout"));
  server = TestServerOptions();
  server.key_log_file = "/no/such/folder/keys";
  EXPECT_THAT(ErrorOf(server), HasSubstr("key_log_file: /no/such/folder/keys"));

  TlsClientOptions client = TestClientOptions();
  client.pinned_keys = {std::string(64, 'a'), "xyz"};
  EXPECT_THAT(ErrorOf(client), HasSubstr("pinned_keys[1]"));
  client = TestClientOptions();
  client.roots = TlsPem::File("/no/roots.pem");
  EXPECT_THAT(ErrorOf(client), HasSubstr("roots: /no/roots.pem"));
}

TEST(TlsContext, TheSystemsRootsRefuseOurs) {
  const TlsContext client = MakeClient(TlsClientOptions());
  EnginePair pair(MakeServer(), client);
  EXPECT_FALSE(pair.Handshake());
  EXPECT_TRUE(absl::IsUnauthenticated(pair.client().error()));
}

// A pool's thread that read certificates as the process ended used what
// OpenSSL had freed.
TEST(TlsContextDeathTest, ThreadsMayUseItWhileTheProcessEnds) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto end_meanwhile = [] {
    TlsContext context = MakeServer();
    std::thread([context]() mutable {
      while (true) context.Reload().IgnoreError();
    }).detach();
    absl::SleepFor(absl::Milliseconds(20));
    std::exit(0);
  };
  for (int i = 0; i < 5; ++i)
    EXPECT_EXIT(end_meanwhile(), ::testing::ExitedWithCode(0), "");
}

TEST(TlsContext, AReloadUsesTheNewFilesOrChangesNothing) {
  const std::string chain = Temporary("chain.pem");
  const std::string key = Temporary("key.pem");
  const auto install = [&](std::string_view name) {
    const std::string file = CertificateFile(name);
    Write(chain, Read(absl::StrCat(file, ".pem")));
    Write(key, Read(absl::StrCat(file, ".key")));
  };
  install("wildcard");
  TlsServerOptions options;
  options.certificates.push_back(
      TlsCertificate(TlsPem::File(chain), TlsPem::File(key)));
  TlsContext server = MakeServer(options);
  const TlsContext client = MakeClient();
  const auto serves = [&](const std::string& host) {
    EnginePair pair(server, client, host);
    return pair.Handshake();
  };
  EXPECT_TRUE(serves("example.test"));
  EXPECT_FALSE(serves("server.test"));

  install("server");
  EXPECT_TRUE(serves("example.test")) << "not read yet";
  EXPECT_EQ(server.Reload(), absl::OkStatus());
  EXPECT_TRUE(serves("server.test"));
  EXPECT_FALSE(serves("example.test"));

  Write(key, "broken");
  EXPECT_THAT(server.Reload().ToString(), HasSubstr(key));
  EXPECT_TRUE(serves("server.test"));
}

TEST(TlsContext, KeysAreLoggedOnRequest) {
  const std::string log = Temporary("keys");
  TlsServerOptions options = TestServerOptions();
  options.key_log_file = log;
  EnginePair pair(MakeServer(options), MakeClient());
  EXPECT_TRUE(pair.Handshake());
  EXPECT_THAT(Read(log), HasSubstr("SERVER_TRAFFIC_SECRET_0 "));
}

}  // namespace
}  // namespace ringway::net
