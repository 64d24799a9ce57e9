// SPDX-License-Identifier: Apache-2.0
//
// ParseResponses: what a ResponseParser makes of all bytes of a connection,
// which arrive in pieces.

#ifndef RINGWAY_HTTP_HTTP1_TESTING_PARSE_RESPONSES_H_
#define RINGWAY_HTTP_HTTP1_TESTING_PARSE_RESPONSES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "ringway/http/http1/received_response.h"
#include "ringway/http/http1/testing/parse_stream.h"
#include "ringway/http/message/method.h"

namespace ringway::http::testing {

struct ParsedResponse {
  int status_code = 0;
  Version version = Version::kHttp11;
  FieldList headers;
  std::optional<uint64_t> content_length;
  internal::Framing framing = internal::Framing::kNone;
  bool keep_alive = false;
  std::string body;
  FieldList trailers;

  bool operator==(const ParsedResponse&) const = default;
};

struct ParsedResponses {
  std::vector<ParsedResponse> responses;  // those that are whole
  absl::Status error;
  bool waits = false;  // for more of one that has begun
  size_t n_used = 0;   // up to the end of the last whole one

  bool operator==(const ParsedResponses&) const = default;

  // "200 5", with the sizes of bodies and a + if the connection is kept; then
  // what the error is, or "...".
  std::string Summary() const;
};

// Parses responses to requests with this method until one is malformed, or ends
// the connection, or `bytes` end, with which the connection does. `room`: for
// each piece of a chunked body.
ParsedResponses ParseResponses(std::string_view bytes, Method method,
                               const Pieces& pieces,
                               const ResponseLimits& limits = ResponseLimits(),
                               size_t room = 4096);

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_HTTP1_TESTING_PARSE_RESPONSES_H_
