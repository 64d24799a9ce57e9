// SPDX-License-Identifier: Apache-2.0
//
// ReceivedResponse: what a response says before its body. ResponseLimits: how
// much of that a client takes. Of all versions of HTTP.

#ifndef RINGWAY_HTTP_HTTP1_RECEIVED_RESPONSE_H_
#define RINGWAY_HTTP_HTTP1_RECEIVED_RESPONSE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "ringway/http/http1/request_head.h"
#include "ringway/http/http1/response_head.h"
#include "ringway/http/message/headers.h"

namespace ringway::http {

// Of one response.
struct ResponseLimits {
  ResponseLimits() {}

  // Bytes of the reason phrase and all header fields, and again of the
  // trailers, without the white space around values.
  size_t header_bytes = 64 * 1024;
  // Header fields, and again trailers.
  size_t header_count = 200;
  // Informational responses before it, such as 103.
  size_t informational_count = 20;
};

struct ReceivedResponse {
  int status_code = 0;
  Version version = Version::kHttp11;
  Headers headers;
  // As announced, also for HEAD; none if it is chunked, or was not announced.
  std::optional<uint64_t> content_length;
  internal::Framing framing = internal::Framing::kNone;  // of its body
  // The server takes more requests on this connection.
  bool keep_alive = false;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_HTTP1_RECEIVED_RESPONSE_H_
