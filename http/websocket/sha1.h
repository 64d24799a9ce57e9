// SPDX-License-Identifier: Apache-2.0
//
// SHA-1 (RFC 3174), for the handshake of WebSockets alone: it proves there that
// a server knows the protocol, and protects nothing. So a server without TLS
// needs no library of cryptography.

#ifndef RINGWAY_HTTP_WEBSOCKET_SHA1_H_
#define RINGWAY_HTTP_WEBSOCKET_SHA1_H_

#include <array>
#include <cstdint>
#include <string_view>

#include "ringway/core/compiler.h"

namespace ringway::http::internal {

std::array<uint8_t, 20> Sha1(std::string_view text);

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_WEBSOCKET_SHA1_H_
