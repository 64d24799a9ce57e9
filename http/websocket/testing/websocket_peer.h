// SPDX-License-Identifier: Apache-2.0
//
// WebSocketPeer: a client of raw frames for tests of servers.

#ifndef RINGWAY_HTTP_WEBSOCKET_TESTING_WEBSOCKET_PEER_H_
#define RINGWAY_HTTP_WEBSOCKET_TESTING_WEBSOCKET_PEER_H_

#include <optional>
#include <string>
#include <utility>

#include "ringway/executor/task/task.h"
#include "ringway/http/testing/raw_client.h"
#include "ringway/http/websocket/testing/frames.h"

namespace ringway::http::testing {

class WebSocketPeer {
 public:
  explicit WebSocketPeer(RawClient client) : client_(std::move(client)) {}

  // The bytes of a request for one, with `fields` beside those of the
  // handshake.
  static std::string Handshake(const std::string& target,
                               const std::string& fields = "") {
    return "GET " + target +
           " HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n"
           "Connection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           "Sec-WebSocket-Version: 13\r\n" +
           fields + "\r\n";
  }

  // Sends the handshake, and `frames` with it.
  Task<RawResponse> Open(std::string fields = "", std::string frames = "") {
    Task<bool> say = client_.Say(Handshake("/socket", fields) + frames);
    co_await std::move(say);
    Task<RawResponse> next = client_.Next();
    co_return co_await std::move(next);
  }

  Task<bool> Send(int opcode, std::string payload = "", bool fin = true) {
    return client_.Say(ClientFrame(opcode, std::move(payload), fin));
  }
  // The next frame; none at the end of the connection.
  Task<std::optional<Frame>> Next() {
    while (true) {
      std::optional<Frame> frame = TakeFrame(client_.arrived());
      if (frame.has_value()) co_return frame;
      Task<bool> more = client_.More();
      if (!co_await std::move(more)) co_return std::nullopt;
    }
  }

  RawClient& client() { return client_; }

 private:
  RawClient client_;
};

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_WEBSOCKET_TESTING_WEBSOCKET_PEER_H_
