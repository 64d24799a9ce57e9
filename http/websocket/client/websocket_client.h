// SPDX-License-Identifier: Apache-2.0
//
// WebSocketClient: a WebSocket to a server.
//
//   absl::StatusOr<std::unique_ptr<http::WebSocketClient>> client =
//       co_await http::WebSocketClient::Connect("ws://127.0.0.1:8080/echo");
//   if (!client.ok()) co_return client.status();
//   co_await (*client)->socket().SendText("hello");
//   ...
//   co_await (*client)->Close();

#ifndef RINGWAY_HTTP_WEBSOCKET_CLIENT_WEBSOCKET_CLIENT_H_
#define RINGWAY_HTTP_WEBSOCKET_CLIENT_WEBSOCKET_CLIENT_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/client/client_options.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/tunnel/stream_tunnel.h"
#include "ringway/http/websocket/close_code.h"
#include "ringway/http/websocket/websocket.h"
#include "ringway/http/websocket/websocket_options.h"

namespace ringway::http {

struct WebSocketClientOptions {
  WebSocketClientOptions() {}

  // How the connection is made: its deadlines, for wss its TLS context, which
  // must not offer "h2", and so on. What is for pools has no effect.
  ClientOptions connection;
  // WebSocketOptions::protocols is what is offered; `origins` has no effect.
  WebSocketOptions socket;
  // Fields of the handshake beside its own, such as Origin or Cookie.
  Headers headers;
  // For the server's end after the Close of both.
  absl::Duration goodbye_timeout = absl::Seconds(2);
};

// Destroying it resets the connection; no task may be using the socket.
//
// Threads: those of the loop that it was connected on.
class WebSocketClient {
 public:
  // Connects to "ws://host:port/path?query" or "wss://...", and makes the
  // handshake.
  //
  // Errors:       InvalidArgument: the URL, a header, or options out of range.
  //               FailedPrecondition: wss without a TLS context, or the server
  //               has agreed on HTTP/2, or has answered with another status
  //               than 101, which is in the message. DataLoss: a handshake that
  //               is none. Those of Client::Send(), but for the pool's.
  // Cancellation: ends the connection.
  // Cost:         frames and the connection's memory.
  static Task<absl::StatusOr<std::unique_ptr<WebSocketClient>>> Connect(
      std::string url,
      WebSocketClientOptions options = WebSocketClientOptions());

  WebSocket& socket() { return socket_; }

  // Closes the socket, waits for the server's Close, and ends the connection.
  //
  // Errors: those of WebSocket::Receive(), of what was not received before.
  Task<absl::Status> Close(CloseCode code = CloseCode::kNormal);

  // --- For Connect().
  WebSocketClient(std::unique_ptr<OwnedTunnel> tunnel,
                  std::unique_ptr<const WebSocketClientOptions> options,
                  std::string_view protocol)
      : options_(std::move(options)),
        tunnel_(std::move(tunnel)),
        socket_(*tunnel_, options_->socket, protocol,
                WebSocket::Role::kClient) {}

 private:
  const std::unique_ptr<const WebSocketClientOptions> options_;
  const std::unique_ptr<OwnedTunnel> tunnel_;
  WebSocket socket_;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_WEBSOCKET_CLIENT_WEBSOCKET_CLIENT_H_
