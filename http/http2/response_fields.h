// SPDX-License-Identifier: Apache-2.0
//
// ResponseFields: the fields of a response, or its trailers, for nghttp2.

#ifndef RINGWAY_HTTP_HTTP2_RESPONSE_FIELDS_H_
#define RINGWAY_HTTP_HTTP2_RESPONSE_FIELDS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "nghttp2/nghttp2.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

// What a server adds to the fields of a handler.
struct AddedFields {
  std::string_view server;                 // empty: no such field
  std::string_view date;                   // the same
  std::optional<uint64_t> content_length;  // instead of the handler's
  // Without a Content-Type, it is text.
  bool default_type = false;
};

// Refers to the fields, whose names nghttp2 copies in lower case. Reuse
// allocates nothing.
class ResponseFields {
 public:
  // A head. Leaves out what is about connections (RFC 9113, section 8.2.2);
  // Date and Server of `added` if `headers` have them.
  std::span<const nghttp2_nv> Head(int status_code, const Headers& headers,
                                   const AddedFields& added);
  // The same without a status and additions.
  std::span<const nghttp2_nv> Trailers(const Headers& trailers);

 private:
  void Add(std::string_view name, std::string_view value);

  std::vector<nghttp2_nv> fields_;
  std::array<char, 3> status_;
  std::array<char, 20> length_;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_HTTP2_RESPONSE_FIELDS_H_
