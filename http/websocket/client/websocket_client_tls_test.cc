// SPDX-License-Identifier: Apache-2.0
//
// WebSockets to a server by TLS.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "ringway/http/client/testing/client_tls_fixture.h"
#include "ringway/http/websocket/client/websocket_client.h"
#include "ringway/http/websocket/testing/random_sockets.h"
#include "ringway/http/websocket/websockets.h"

namespace ringway::http {
namespace {

using WebSocketClientTlsTest = testing::ClientTlsTest;
using testing::ServeRandomSocket;
using Connected = absl::StatusOr<std::unique_ptr<WebSocketClient>>;

TEST_P(WebSocketClientTlsTest, RandomMessagesBothWaysArrive) {
  ServeTls(WebSockets(ServeRandomSocket), {"h2", "http/1.1"});
  auto main = [&]() -> Task<void> {
    for (uint64_t seed = 1; seed <= 5 && !HasFailure(); seed += 2) {
      WebSocketClientOptions options;
      options.connection = Options({"http/1.1"});
      Task<Connected> connect = WebSocketClient::Connect(
          SecureUrl(absl::StrCat("/?seed=", seed), "wss"), std::move(options));
      const Connected client = co_await std::move(connect);
      EXPECT_TRUE(client.ok()) << client.status();
      if (!client.ok()) co_return;
      Task<absl::Status> run =
          testing::RunRandomSocket((*client)->socket(), seed);
      const absl::Status ran = co_await std::move(run);
      EXPECT_TRUE(ran.ok()) << ran << ", seed " << seed;
      Task<absl::Status> close = (*client)->Close();
      EXPECT_TRUE((co_await std::move(close)).ok());
    }
  };
  Run(main());
}

TEST_P(WebSocketClientTlsTest, SaysThatHttp2IsInTheWay) {
  ServeTls(WebSockets(ServeRandomSocket), {"h2", "http/1.1"});
  auto main = [&]() -> Task<void> {
    WebSocketClientOptions options;
    options.connection = Options({"h2", "http/1.1"});
    Task<Connected> connect =
        WebSocketClient::Connect(SecureUrl("/", "wss"), std::move(options));
    const absl::Status refused = (co_await std::move(connect)).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
    EXPECT_TRUE(absl::StrContains(refused.message(), "HTTP/2")) << refused;
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(WebSocketClientTlsTest);

}  // namespace
}  // namespace ringway::http
