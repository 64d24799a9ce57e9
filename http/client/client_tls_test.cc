// SPDX-License-Identifier: Apache-2.0
//
// A client by TLS.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/http/client/client.h"
#include "ringway/http/client/testing/client_tls_fixture.h"
#include "ringway/net/tls/testing/test_certificates.h"

namespace ringway::http {
namespace {

using HttpClientTlsTest = testing::ClientTlsTest;
using net::testing::kTestHost;
using testing::Fetch;
using testing::Fetched;

Task<absl::Status> Tell(Request& request, ResponseWriter& response) {
  Task<absl::StatusOr<std::string>> read = request.ReadAll(16 << 20);
  const absl::StatusOr<std::string> body = co_await std::move(read);
  if (!body.ok()) co_return body.status();
  response.headers().Set("X-Secure", request.is_secure() ? "yes" : "no");
  response.headers().Set("X-Host", request.host());
  co_return co_await response.Send(200, *body);
}

TEST_P(HttpClientTlsTest, KeepsAConnection) {
  ServeTls(Tell);
  auto main = [&]() -> Task<void> {
    Client client(Options());
    for (const size_t n : {0, 5, 100'000, 3'000'000}) {
      std::string body(n, 'b');
      ClientRequest request(Method::kPost, SecureUrl("/"), body);
      const Fetched fetched = co_await Fetch(client, std::move(request));
      EXPECT_EQ(fetched.status, absl::OkStatus());
      EXPECT_TRUE(fetched.body == body) << n;
      EXPECT_EQ(fetched.Field("X-Secure"), "yes");
      EXPECT_EQ(fetched.Field("X-Host"),
                absl::StrCat(kTestHost, ":", address().port()));
    }
    EXPECT_EQ(client.statistics().connections, 1u);
  };
  Run(main());
}

TEST_P(HttpClientTlsTest, SpeaksWhatBothHaveAgreedOn) {
  ServeTls(Tell, {"h2", "http/1.1"});
  auto main = [&]() -> Task<void> {
    for (const bool http2 : {true, false}) {
      std::vector<std::string> alpn = {"http/1.1"};
      if (http2) alpn.insert(alpn.begin(), "h2");
      Client client(Options(std::move(alpn)));
      // None knows before which version it will be.
      std::vector<JoinHandle<Fetched>> all;
      for (int i = 0; i < 10; ++i) {
        ClientRequest request(Method::kPost, SecureUrl("/"),
                              std::string(100'000, 'b'));
        all.push_back(Spawn(Fetch(client, std::move(request))));
      }
      for (JoinHandle<Fetched>& one : all) {
        const absl::StatusOr<Fetched> fetched = co_await one;
        EXPECT_EQ(fetched->body.size(), 100'000u) << fetched->status;
        EXPECT_EQ(fetched->Field("X-Secure"), "yes");
      }
      absl::StatusOr<Response> response = co_await client.Get(SecureUrl("/"));
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) co_return;
      EXPECT_EQ(response->version(),
                http2 ? Version::kHttp2 : Version::kHttp11);
      EXPECT_EQ((co_await response->ReadAll(100)).status(), absl::OkStatus());
      if (http2) EXPECT_EQ(client.statistics().connections, 1u);
    }
  };
  Run(main());
}

TEST_P(HttpClientTlsTest, RefusesAServerOfAnotherName) {
  ServeTls(Tell);
  resolver_.Add("another.test", address());
  auto main = [&]() -> Task<void> {
    Client client(Options());
    const Fetched fetched = co_await Fetch(
        client, absl::StrCat("https://another.test:", address().port(), "/"));
    EXPECT_TRUE(absl::IsUnauthenticated(fetched.status)) << fetched.status;
  };
  Run(main());
}

TEST_P(HttpClientTlsTest, FailsWithAServerThatSpeaksNoTls) {
  RunScripted(
      [](testing::ScriptedPeer& peer) -> Task<void> {
        co_await peer.ReadBytes(1);
        co_await peer.Say("HTTP/1.1 400 Bad Request\r\n\r\n");
      },
      [&](testing::ScriptedServer& server) -> Task<void> {
        resolver_.Add(kTestHost, *net::SocketAddress::Parse("127.0.0.1:0"));
        Client client(Options());
        const std::string url = server.url("/");
        const Fetched fetched = co_await Fetch(
            client,
            absl::StrCat("https://", kTestHost, url.substr(url.rfind(':'))));
        EXPECT_TRUE(absl::IsAborted(fetched.status)) << fetched.status;
      });
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpClientTlsTest);

}  // namespace
}  // namespace ringway::http
