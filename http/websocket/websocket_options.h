// SPDX-License-Identifier: Apache-2.0
//
// WebSocketOptions: the limits and deadlines of a WebSocket.

#ifndef RINGWAY_HTTP_WEBSOCKET_WEBSOCKET_OPTIONS_H_
#define RINGWAY_HTTP_WEBSOCKET_WEBSOCKET_OPTIONS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/core/compiler.h"

namespace ringway::http {

struct WebSocketOptions {
  WebSocketOptions() {}

  // Bytes of a message, in however many frames: Close 1009.
  size_t max_message_bytes = size_t{1} << 20;
  // Bytes of messages' memory that are kept between two of them.
  size_t kept_bytes = 4096;
  // A peer of which nothing has arrived for so long is sent a ping while
  // Receive() waits; infinite: never.
  absl::Duration ping_interval = absl::Seconds(30);
  // What it may take then to send anything. The ping comes behind what the
  // kernel still has to send, which takes a slow peer a while.
  absl::Duration pong_timeout = absl::Seconds(30);
  // From our Close to the peer's.
  absl::Duration close_timeout = absl::Seconds(5);

  // The application's protocols, the best first. The first that the client
  // offers, too, is chosen; none if there is none.
  std::vector<std::string> protocols;
  // The origins of pages whose scripts may connect, such as
  // "https://example.org"; "*": all. Empty: those of the host that is asked.
  // Clients that are no browsers have none, and may.
  std::vector<std::string> origins;
};

// InvalidArgument with the name and range of the first option out of range.
absl::Status CheckWebSocketOptions(const WebSocketOptions& options);

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_WEBSOCKET_WEBSOCKET_OPTIONS_H_
