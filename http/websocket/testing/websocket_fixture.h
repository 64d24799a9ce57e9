// SPDX-License-Identifier: Apache-2.0
//
// WebSocketTest: for tests of WebSockets of a server on every backend, with
// clients of raw frames beside it.

#ifndef RINGWAY_HTTP_WEBSOCKET_TESTING_WEBSOCKET_FIXTURE_H_
#define RINGWAY_HTTP_WEBSOCKET_TESTING_WEBSOCKET_FIXTURE_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/http/testing/http_fixture.h"
#include "ringway/http/websocket/testing/websocket_peer.h"
#include "ringway/http/websocket/websockets.h"

namespace ringway::http::testing {

class WebSocketTest : public HttpTest {
 protected:
  // Serves sockets by `handler`; `ended` gets what it has returned, and how
  // the client has closed.
  void ServeSockets(WebSocketHandler handler,
                    WebSocketOptions options = WebSocketOptions(),
                    ServerOptions server_options = ServerOptions()) {
    WebSocketHandler noting = [this, handler = std::move(handler)](
                                  Request& request,
                                  WebSocket& socket) -> Task<absl::Status> {
      Task<absl::Status> serve = handler(request, socket);
      absl::Status served = co_await std::move(serve);
      ended.push_back(
          served.ok()
              ? absl::StrCat("OK: ", static_cast<int>(socket.close_code()), " ",
                             socket.close_reason())
              : served.ToString());
      co_return served;
    };
    Serve(WebSockets(std::move(noting), std::move(options)),
          std::move(server_options));
  }

  // A handler that sends back what it gets.
  static WebSocketHandler Echo() {
    return [](Request&, WebSocket& socket) -> Task<absl::Status> {
      while (true) {
        Task<absl::StatusOr<std::optional<WebSocketMessage>>> receive =
            socket.Receive();
        const absl::StatusOr<std::optional<WebSocketMessage>> message =
            co_await std::move(receive);
        if (!message.ok()) co_return message.status();
        if (!message->has_value()) co_return absl::OkStatus();
        Task<absl::Status> send = socket.Send(**message);
        absl::Status sent = co_await std::move(send);
        if (!sent.ok()) co_return sent;
      }
    };
  }

  Task<WebSocketPeer> Visit() {
    Task<RawClient> visit = HttpTest::Visit();
    co_return WebSocketPeer(co_await std::move(visit));
  }

  // The payload of the next frame, which is a whole text; else empty.
  static Task<std::string> NextPayload(WebSocketPeer& peer) {
    Task<std::optional<Frame>> next = peer.Next();
    const std::optional<Frame> frame = co_await std::move(next);
    if (!frame.has_value() || frame->opcode != kText || !frame->fin)
      co_return "";
    co_return frame->payload;
  }

  std::vector<std::string> ended;
};

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_WEBSOCKET_TESTING_WEBSOCKET_FIXTURE_H_
