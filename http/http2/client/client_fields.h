// SPDX-License-Identifier: Apache-2.0
//
// ClientFields: the fields of a request, or its trailers, for nghttp2.

#ifndef RINGWAY_HTTP_HTTP2_CLIENT_CLIENT_FIELDS_H_
#define RINGWAY_HTTP_HTTP2_CLIENT_CLIENT_FIELDS_H_

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "nghttp2/nghttp2.h"
#include "ringway/http/http1/request_text.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

// Refers to the fields, whose names nghttp2 copies in lower case. Reuse
// allocates nothing.
class ClientFields {
 public:
  // A head that CheckRequest() has found good. Its Host is the authority.
  std::span<const nghttp2_nv> Head(const OutgoingRequest& request);
  std::span<const nghttp2_nv> Trailers(const Headers& trailers);

 private:
  void Add(std::string_view name, std::string_view value);

  std::vector<nghttp2_nv> fields_;
  std::array<char, 20> length_;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_CLIENT_CLIENT_FIELDS_H_
