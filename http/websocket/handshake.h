// SPDX-License-Identifier: Apache-2.0
//
// The opening handshake of WebSockets (RFC 6455, section 4), by HTTP/1.1.

#ifndef RINGWAY_HTTP_WEBSOCKET_HANDSHAKE_H_
#define RINGWAY_HTTP_WEBSOCKET_HANDSHAKE_H_

#include <string>
#include <string_view>
#include <vector>

#include "ringway/core/compiler.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/message/method.h"

namespace ringway::http::internal {

inline constexpr std::string_view kWebSocketVersion = "13";

// What is wrong with a request for a WebSocket.
enum class HandshakeFault : uint8_t {
  kNone,
  kNoUpgrade,    // it asks for no WebSocket
  kBadVersion,   // of the protocol
  kMalformed,    // its method, version of HTTP or key
  kWrongOrigin,  // a page of another site has made it
};

struct HandshakeRequest {
  Method method;
  bool is_http11;  // or later
  bool has_body;
  bool is_secure;
  std::string_view host;  // with the port that was asked for, if any
  const Headers& headers;
};

// `origins`: the origins of pages that may connect, such as
// "https://example.org", or "*" for any; empty: those of the host itself. A
// client without an Origin is no browser, and may.
HandshakeFault CheckHandshake(const HandshakeRequest& request,
                              const std::vector<std::string>& origins);

// A Sec-WebSocket-Key that nobody else has.
std::string NewKey();
// The Sec-WebSocket-Accept for a Sec-WebSocket-Key.
std::string AcceptKey(std::string_view key);

// The first of `ours` that is among those that the client offers; empty if
// there is none.
std::string_view ChooseProtocol(const std::vector<std::string>& ours,
                                const Headers& headers);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_WEBSOCKET_HANDSHAKE_H_
