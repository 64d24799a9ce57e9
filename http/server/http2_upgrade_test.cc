// SPDX-License-Identifier: Apache-2.0
//
// Connections that begin with HTTP/1.1 and go on with HTTP/2.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/http/http2/client_preface.h"
#include "ringway/http/http2/testing/frames.h"
#include "ringway/http/http2/upgrade_request.h"
#include "ringway/http/server/testing/http2_fixture.h"

namespace ringway::http {
namespace {

using Http2Upgrade = testing::Http2ServerTest;

// The response to the request of HTTP/1.1 is that of stream 1.
TEST_P(Http2Upgrade, UpgradesHttp1IfItMay) {
  ServerOptions options;
  options.h2c_upgrade = true;
  options.client_end_cancels = false;
  Serve(
      [](Request& request, ResponseWriter& response) -> Task<absl::Status> {
        EXPECT_EQ(request.version(), Version::kHttp2);
        EXPECT_FALSE(request.headers().Has("upgrade"));
        EXPECT_FALSE(request.headers().Has("http2-settings"));
        EXPECT_FALSE(request.headers().Has("x-hop"));
        const std::string text =
            absl::StrCat(request.host(), request.path(), "?", request.query(),
                         request.headers().Find("x-kept").value_or(""));
        co_return co_await response.Send(200, text);
      },
      options);
  auto main = [&]() -> Task<void> {
    net::TcpStream stream = co_await Join();
    const std::string text = absl::StrCat(
        "GET /a?b=c HTTP/1.1\r\nHost: test:80\r\nX-Kept: d\r\n"
        "X-Hop: e\r\nConnection: Upgrade, HTTP2-Settings, X-Hop\r\n"
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
        internal::kClientPreface,
        testing::Bytes({testing::kSettings, 0, 0, ""}),
        testing::Bytes({testing::kHeaders,
                        testing::kEndHeaders | testing::kEndStream, 3,
                        testing::Block(testing::GetFields())}));
    EXPECT_TRUE((co_await stream.Write(net::testing::Bytes(text))).ok());
    EXPECT_TRUE((co_await stream.ShutdownWrite()).ok());
    Task<absl::StatusOr<std::string>> read = net::testing::ReadToEnd(stream);
    const std::string answer = net::testing::ValueOf(co_await std::move(read));
    EXPECT_TRUE(answer.starts_with(internal::kUpgradeResponse)) << answer;
    std::map<uint32_t, std::string> bodies;
    for (const testing::Frame& frame :
         testing::Parse(answer.substr(internal::kUpgradeResponse.size()))) {
      if (frame.type == testing::kData) bodies[frame.stream] += frame.payload;
    }
    EXPECT_EQ(bodies[1], "test:80/a?b=cd");
    EXPECT_EQ(bodies.count(3), 1u);
    EXPECT_EQ(ended.size(), 2u);
  };
  RunServed(main());
}

TEST_P(Http2Upgrade, UpgradesNothingElse) {
  ServerOptions options;
  options.h2c_upgrade = true;
  Serve(
      [](Request& request, ResponseWriter& response) -> Task<absl::Status> {
        EXPECT_EQ(request.version(), Version::kHttp11);
        co_return co_await response.Send(200, "one");
      },
      options);
  auto main = [&]() -> Task<void> {
    static constexpr const char* kFields[] = {
        // No settings, malformed ones, two; no connection option; a body.
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        "HTTP2-Settings: AAMAAAB\r\n\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        "HTTP2-Settings: AAMAAABk\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
        "Connection: Upgrade\r\nUpgrade: h2c\r\n"
        "HTTP2-Settings: AAMAAABk\r\n\r\n",
        "Connection: HTTP2-Settings\r\nUpgrade: h2c\r\n"
        "HTTP2-Settings: AAMAAABk\r\n\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2\r\n"
        "HTTP2-Settings: AAMAAABk\r\n\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        "HTTP2-Settings: AAMAAABk\r\nContent-Length: 1\r\n\r\nx",
    };
    for (const char* fields : kFields) {
      net::TcpStream stream = co_await Join();
      const std::string text =
          absl::StrCat("GET / HTTP/1.1\r\nHost: test\r\n", fields);
      EXPECT_TRUE((co_await stream.Write(net::testing::Bytes(text))).ok());
      EXPECT_TRUE((co_await stream.ShutdownWrite()).ok());
      Task<absl::StatusOr<std::string>> read = net::testing::ReadToEnd(stream);
      const std::string answer =
          net::testing::ValueOf(co_await std::move(read));
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    }
  };
  RunServed(main());
}

// Values that no SETTINGS may have.
TEST_P(Http2Upgrade, AnUpgradeWithBadSettingsEnds) {
  ServerOptions options;
  options.h2c_upgrade = true;
  Serve(
      [](Request&, ResponseWriter&) -> Task<absl::Status> {
        ADD_FAILURE() << "it was answered";
        co_return absl::OkStatus();
      },
      options);
  auto main = [&]() -> Task<void> {
    net::TcpStream stream = co_await Join();
    // ENABLE_PUSH = 2.
    const std::string text =
        "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade, HTTP2-Settings"
        "\r\nUpgrade: h2c\r\nHTTP2-Settings: AAIAAAAC\r\n\r\n";
    EXPECT_TRUE((co_await stream.Write(net::testing::Bytes(text))).ok());
    Task<absl::StatusOr<std::string>> read = net::testing::ReadToEnd(stream);
    const std::string answer = net::testing::ValueOf(co_await std::move(read));
    EXPECT_TRUE(answer.starts_with(internal::kUpgradeResponse)) << answer;
    const std::vector<testing::Frame> frames =
        testing::Parse(answer.substr(internal::kUpgradeResponse.size()));
    EXPECT_TRUE(!frames.empty() && frames.back().type == testing::kGoaway);
  };
  RunServed(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(Http2Upgrade);

}  // namespace
}  // namespace ringway::http
