// SPDX-License-Identifier: Apache-2.0
//
// The bytes that a client of HTTP/2 sends first (RFC 9113, section 3.4).

#ifndef RINGWAY_HTTP_HTTP2_CLIENT_PREFACE_H_
#define RINGWAY_HTTP_HTTP2_CLIENT_PREFACE_H_

#include <string_view>

namespace ringway::http::internal {

inline constexpr std::string_view kClientPreface =
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Whether `bytes` are those, or a part of them from the first one on, or begin
// with them.
inline bool BeginsAsPreface(std::string_view bytes) {
  return kClientPreface.starts_with(bytes.substr(0, kClientPreface.size()));
}

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_CLIENT_PREFACE_H_
