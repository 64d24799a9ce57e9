// SPDX-License-Identifier: Apache-2.0
//
// Random messages both ways over a WebSocket, at the same time: each side knows
// what the other sends, and checks it.

#ifndef RINGWAY_HTTP_WEBSOCKET_TESTING_RANDOM_SOCKETS_H_
#define RINGWAY_HTTP_WEBSOCKET_TESTING_RANDOM_SOCKETS_H_

#include <cstddef>
#include <cstdint>

#include "ringway/executor/task/task.h"
#include "ringway/http/server/request.h"
#include "ringway/http/testing/raw_client.h"
#include "ringway/http/websocket/websocket.h"

namespace ringway::http::testing {

// What each side sends.
inline constexpr size_t kRandomMessages = 12;

// A handler for the clients below.
Task<absl::Status> ServeRandomSocket(Request& request, WebSocket& socket);

// Its client by our own code, to the end of the socket, with an odd seed: an
// error if anything is not as agreed.
Task<absl::Status> RunRandomSocket(WebSocket& client, uint64_t seed);

struct RandomSocketResult {
  size_t n_received = 0;  // by the client, all of them right
  bool closed = false;    // as agreed
};

// One of raw frames, from the handshake to its end. `seed` decides the
// messages, their frames, the pieces that these arrive in, and who closes.
Task<RandomSocketResult> RunRandomSocket(RawClient& client, uint64_t seed);

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_WEBSOCKET_TESTING_RANDOM_SOCKETS_H_
