// SPDX-License-Identifier: Apache-2.0
//
// The recipes of docs/http.md, which documents_test compares.

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "ringway/http/server/server.h"
#include "ringway/http/testing/http_fixture.h"
#include "ringway/http/websocket/testing/websocket_peer.h"
#include "ringway/http/websocket/websockets.h"

namespace ringway {
namespace {

Task<absl::Status> Greet(http::Request& request,
                         http::ResponseWriter& response) {
  const std::string text =
      absl::StrCat("Hello, ", request.Param("name"), "!\n");
  co_return co_await response.Send(200, text);
}

Task<absl::Status> StoreNote(http::Request& request,
                             http::ResponseWriter& response) {
  Task<absl::StatusOr<std::string>> read =
      request.ReadAll(/*limit_bytes=*/64 * 1024);
  const absl::StatusOr<std::string> body = co_await std::move(read);
  if (!body.ok()) co_return body.status();  // 413, 408, 400: as it failed
  response.headers().Set("Content-Type", "application/json");
  const std::string json = absl::StrCat("{\"bytes\": ", body->size(), "}\n");
  co_return co_await response.Send(201, json);
}

Task<absl::Status> Events(http::Request& /*request*/,
                          http::ResponseWriter& response) {
  response.headers().Set("Content-Type", "text/event-stream");
  absl::Status status = co_await response.Start(200);
  for (int i = 0; status.ok() && i < 3; ++i) {
    const std::string event = absl::StrCat("data: ", i, "\n\n");
    status = co_await response.Write(event);
  }
  co_return status;
}

Task<absl::Status> Shout(http::Request& /*request*/, http::WebSocket& socket) {
  while (true) {
    const auto message = co_await socket.Receive();
    if (!message.ok()) co_return message.status();
    if (!message->has_value()) co_return absl::OkStatus();  // closed
    const std::string reply = absl::AsciiStrToUpper((*message)->data);
    const absl::Status sent = co_await socket.SendText(reply);
    if (!sent.ok()) co_return sent;
  }
}

http::Router MakeRouter() {
  http::Router router;
  router.Get("/hello/:name", Greet);
  router.Put("/notes/:id", StoreNote);
  router.Get("/events", Events);
  router.Get("/shout", http::WebSockets(Shout));
  return router;
}

using HttpExamplesTest = http::testing::HttpTest;

TEST_P(HttpExamplesTest, TheRecipesWork) {
  Serve(MakeRouter());
  auto main = [&]() -> Task<void> {
    http::testing::RawClient client = co_await Visit();
    co_await client.Say(Get("/hello/you%20there"));
    EXPECT_EQ((co_await client.Next()).body, "Hello, you there!\n");
    co_await client.Say(
        "PUT /notes/7 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nnote");
    const http::testing::RawResponse stored = co_await client.Next();
    EXPECT_EQ(stored.code, 201);
    EXPECT_EQ(stored.body, "{\"bytes\": 4}\n");
    co_await client.Say(Get("/events"));
    EXPECT_EQ((co_await client.Next()).body,
              "data: 0\n\ndata: 1\n\ndata: 2\n\n");
  };
  Run(main());
}

TEST_P(HttpExamplesTest, TheWebSocketShouts) {
  Serve(MakeRouter());
  auto main = [&]() -> Task<void> {
    http::testing::WebSocketPeer peer(co_await Visit());
    co_await peer.client().Say(peer.Handshake("/shout"));
    const http::testing::RawResponse opened = co_await peer.client().Next();
    EXPECT_EQ(opened.code, 101);
    co_await peer.Send(http::testing::kText, "hello");
    const std::optional<http::testing::Frame> reply = co_await peer.Next();
    EXPECT_TRUE(reply.has_value());
    EXPECT_EQ(reply.value_or(http::testing::Frame()).payload, "HELLO");
  };
  Run(main());
}

RINGWAY_INSTANTIATE_ON_EVERY_BACKEND(HttpExamplesTest);

}  // namespace
}  // namespace ringway
