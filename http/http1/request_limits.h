// SPDX-License-Identifier: Apache-2.0
//
// RequestLimits: how long the parts of a request's head may be. RequestError:
// why a request is refused. Of all versions of HTTP.

#ifndef RINGWAY_HTTP_HTTP1_REQUEST_LIMITS_H_
#define RINGWAY_HTTP_HTTP1_REQUEST_LIMITS_H_

#include <cstddef>
#include <string_view>

namespace ringway::http {

// Of one request.
struct RequestLimits {
  RequestLimits() {}

  // Bytes of the target: 414.
  size_t target_bytes = 8 * 1024;
  // Bytes of all header fields, and again of the trailers, without the white
  // space around values: 431. So is a head that has more of that than fits into
  // the limits of its parts.
  size_t header_bytes = 32 * 1024;
  // Header fields, and again trailers: 431.
  size_t header_count = 100;
};

// Why a request is refused, and the status code that says so.
struct RequestError {
  int status_code = 0;
  std::string_view text;  // a constant
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_HTTP1_REQUEST_LIMITS_H_
