// SPDX-License-Identifier: Apache-2.0
//
// CloseCode: why a WebSocket was closed (RFC 6455, section 7.4).

#ifndef RINGWAY_HTTP_WEBSOCKET_CLOSE_CODE_H_
#define RINGWAY_HTTP_WEBSOCKET_CLOSE_CODE_H_

#include <cstdint>

#include "ringway/core/compiler.h"

namespace ringway::http {

// Applications may use 3000 to 4999 for reasons of their own.
enum class CloseCode : uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kUnsupportedData = 1003,
  kNone = 1005,      // never sent: the peer has given none
  kAbnormal = 1006,  // never sent: the connection ended without a Close
  kInvalidText = 1007,
  kPolicyViolation = 1008,
  kTooBig = 1009,
  kMissingExtension = 1010,
  kInternalError = 1011,
  kServiceRestart = 1012,
  kTryAgainLater = 1013,
};

namespace internal {

// Whether a Close may carry it (sections 7.4.1 and 7.4.2).
constexpr bool MayBeSent(CloseCode code) {
  const auto n = static_cast<uint16_t>(code);
  if (n >= 1000 && n <= 1014) return n < 1004 || n > 1006;
  return n >= 3000 && n <= 4999;
}

}  // namespace internal

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_WEBSOCKET_CLOSE_CODE_H_
