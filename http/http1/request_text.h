// SPDX-License-Identifier: Apache-2.0
//
// The bytes of an HTTP/1.1 request: its head. Its chunks and trailers are those
// of responses (response_head.h).

#ifndef RINGWAY_HTTP_HTTP1_REQUEST_TEXT_H_
#define RINGWAY_HTTP_HTTP1_REQUEST_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "ringway/http/http1/response_head.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/message/method.h"

namespace ringway::http {

// What a request says before its body. Views and the headers must outlive its
// use.
struct OutgoingRequest {
  OutgoingRequest(Method method_in, std::string_view target_in,
                  std::string_view authority_in, const Headers& headers_in)
      : method(method_in),
        target(target_in),
        authority(authority_in),
        headers(headers_in) {}

  Method method;
  std::string_view target;           // "/path?query", or "*" for OPTIONS
  std::string_view authority;        // "host:port", unless headers have a Host
  std::string_view scheme = "http";  // HTTP/2 only
  const Headers& headers;
  // Unless headers have a User-Agent; empty: no such field.
  std::string_view user_agent;
  // kNone, kLength or kChunked.
  internal::Framing framing = internal::Framing::kNone;
  uint64_t content_length = 0;  // of kLength
  // The body waits for a "100 Continue".
  bool expects_continue = false;
  // It is the last one of its connection.
  bool close = false;
  // Not empty: asks for this protocol (RFC 9110, section 7.8). HTTP/1.1 only.
  std::string_view upgrade;
};

// Whether it can be sent, by any version.
//
// Errors: InvalidArgument: a method, target, Host or header that cannot be
//         sent, or headers that are the connection's: Connection, Keep-Alive,
//         Proxy-Connection, Transfer-Encoding, TE, Upgrade, Expect, and a
//         Content-Length that is not that of the body. Unimplemented: CONNECT.
absl::Status CheckRequest(const OutgoingRequest& request);

// Appends the request line and all fields, with the empty line that ends them.
//
// Errors: those of CheckRequest(); nothing is appended.
// Cost:   no allocation if `to` has room.
absl::Status AppendRequestHead(const OutgoingRequest& request, std::string& to);

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_HTTP1_REQUEST_TEXT_H_
