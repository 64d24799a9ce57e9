// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http2/response_fields.h"

#include <charconv>

namespace ringway::http::internal {

namespace {

bool IsOfConnection(std::string_view name) {
  switch (name.size()) {
    case 2:
      return EqualsIgnoringCase(name, "TE");
    case 7:
      return EqualsIgnoringCase(name, "Upgrade");
    case 10:
      return EqualsIgnoringCase(name, "Connection") ||
             EqualsIgnoringCase(name, "Keep-Alive");
    case 16:
      return EqualsIgnoringCase(name, "Proxy-Connection");
    case 17:
      return EqualsIgnoringCase(name, "Transfer-Encoding");
    default:
      return false;
  }
}

// nghttp2's fields are not const, but it does not change them.
uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
}

}  // namespace

void ResponseFields::Add(std::string_view name, std::string_view value) {
  fields_.push_back({Bytes(name), Bytes(value), name.size(), value.size(),
                     NGHTTP2_NV_FLAG_NONE});
}

std::span<const nghttp2_nv> ResponseFields::Head(int status_code,
                                                 const Headers& headers,
                                                 const AddedFields& added) {
  fields_.clear();
  std::to_chars(status_.data(), status_.data() + status_.size(), status_code);
  Add(":status", {status_.data(), status_.size()});
  bool has_server = added.server.empty();
  bool has_date = added.date.empty();
  bool has_type = !added.default_type;
  for (const Header header : headers) {
    if (IsOfConnection(header.name)) continue;
    if (added.content_length.has_value() &&
        EqualsIgnoringCase(header.name, "Content-Length")) {
      continue;
    }
    has_server = has_server || EqualsIgnoringCase(header.name, "Server");
    has_date = has_date || EqualsIgnoringCase(header.name, "Date");
    has_type = has_type || EqualsIgnoringCase(header.name, "Content-Type");
    Add(header.name, header.value);
  }
  if (!has_type) Add("content-type", "text/plain; charset=utf-8");
  if (!has_server) Add("server", added.server);
  if (!has_date) Add("date", added.date);
  if (added.content_length.has_value()) {
    const std::to_chars_result end = std::to_chars(
        length_.data(), length_.data() + length_.size(), *added.content_length);
    Add("content-length",
        {length_.data(), static_cast<size_t>(end.ptr - length_.data())});
  }
  return fields_;
}

std::span<const nghttp2_nv> ResponseFields::Trailers(const Headers& trailers) {
  fields_.clear();
  for (const Header trailer : trailers) {
    if (!IsOfConnection(trailer.name)) Add(trailer.name, trailer.value);
  }
  return fields_;
}

}  // namespace ringway::http::internal
