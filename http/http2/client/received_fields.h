// SPDX-License-Identifier: Apache-2.0
//
// ReceivedFields: a response's head and trailers from the fields of HTTP/2.
// What RFC 9113 calls malformed, such as an upper-case name or a pseudo-header
// too many, nghttp2 refuses before.

#ifndef RINGWAY_HTTP_HTTP2_CLIENT_RECEIVED_FIELDS_H_
#define RINGWAY_HTTP_HTTP2_CLIENT_RECEIVED_FIELDS_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "ringway/http/http1/received_response.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

class ReceivedFields {
 public:
  // `limits` must outlive this.
  explicit ReceivedFields(const ResponseLimits& limits) : limits_(limits) {
    head_.version = Version::kHttp2;
  }

  // Begins a head: of the response, or an informational one before it.
  void BeginHead();
  void BeginTrailers();
  // The next field. What is beyond the limits is not kept.
  void Add(std::string_view name, std::string_view value);
  // The head is complete. False: it was an informational one.
  bool EndHead(bool has_body);

  ReceivedResponse& head() { return head_; }
  Headers& trailers() { return trailers_; }
  // ResourceExhausted: a limit, which is named. DataLoss: malformed.
  const absl::Status& error() const { return error_; }

 private:
  // Whether one more field of this size is within the limits.
  bool Count(size_t n_bytes);

  const ResponseLimits& limits_;
  ReceivedResponse head_;
  Headers trailers_;
  absl::Status error_;
  size_t n_bytes_ = 0;
  size_t n_fields_ = 0;
  size_t n_informational_ = 0;
  bool in_trailers_ = false;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_CLIENT_RECEIVED_FIELDS_H_
