// SPDX-License-Identifier: Apache-2.0
//
// RequestFields: a request's head and trailers from the fields of HTTP/2, with
// the checks that requests of HTTP/1 get. What RFC 9113 calls malformed, such
// as an upper-case name or a pseudo-header too many, nghttp2 refuses before.

#ifndef RINGWAY_HTTP_HTTP2_REQUEST_FIELDS_H_
#define RINGWAY_HTTP_HTTP2_REQUEST_FIELDS_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "ringway/http/http1/request_head.h"
#include "ringway/http/http1/request_limits.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

class RequestFields {
 public:
  // `limits` must outlive this.
  explicit RequestFields(const RequestLimits& limits) : limits_(limits) {}

  // The next field of the head, or after BeginTrailers() of the trailers.
  // What is beyond the limits is not kept.
  void Add(std::string_view name, std::string_view value);
  // The head is complete; afterwards error() says whether it is refused.
  void EndHead(bool has_body);
  void BeginTrailers();

  RequestHead& head() { return head_; }
  const RequestHead& head() const { return head_; }
  // The authority is its Host field.
  const Headers& trailers() const { return trailers_; }
  // Its status code is 0 unless the request, or its trailers, are refused.
  const RequestError& error() const { return error_; }
  // Of the method, also one that is unknown.
  std::string_view method_text() const { return method_text_; }

 private:
  void Fail(int status_code, std::string_view text);
  void AddPseudo(std::string_view name, std::string_view value);
  // Whether a field of this size is within the limits.
  bool Count(size_t n_bytes);
  void Append(std::string_view name, std::string_view value);
  void CheckMethod();
  void CheckTarget();
  void CheckHost();
  void CheckBody(bool has_body);

  const RequestLimits& limits_;
  RequestHead head_;
  Headers trailers_;
  RequestError error_;
  std::string method_text_;
  std::string cookie_;  // of all Cookie fields
  size_t n_bytes_ = 0;
  size_t n_fields_ = 0;
  bool good_scheme_ = true;
  bool has_authority_ = false;
  bool in_trailers_ = false;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_REQUEST_FIELDS_H_
