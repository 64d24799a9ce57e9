// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http2/client/client_fields.h"

#include <charconv>
#include <cstddef>
#include <cstdint>

#include "ringway/http/message/method.h"

namespace ringway::http::internal {

namespace {

// nghttp2's fields are not const, but it does not change them.
uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
}

}  // namespace

void ClientFields::Add(std::string_view name, std::string_view value) {
  fields_.push_back({Bytes(name), Bytes(value), name.size(), value.size(),
                     NGHTTP2_NV_FLAG_NONE});
}

std::span<const nghttp2_nv> ClientFields::Head(const OutgoingRequest& request) {
  fields_.clear();
  Add(":method", MethodName(request.method));
  Add(":scheme", request.scheme);
  Add(":authority", request.headers.Find("Host").value_or(request.authority));
  Add(":path", request.target);
  bool has_agent = request.user_agent.empty();
  for (const Header header : request.headers) {
    if (EqualsIgnoringCase(header.name, "Host") ||
        EqualsIgnoringCase(header.name, "Content-Length")) {
      continue;
    }
    has_agent = has_agent || EqualsIgnoringCase(header.name, "User-Agent");
    Add(header.name, header.value);
  }
  if (!has_agent) Add("user-agent", request.user_agent);
  if (request.framing == Framing::kLength) {
    const std::to_chars_result end =
        std::to_chars(length_.data(), length_.data() + length_.size(),
                      request.content_length);
    Add("content-length",
        {length_.data(), static_cast<size_t>(end.ptr - length_.data())});
  }
  if (request.expects_continue) Add("expect", "100-continue");
  return fields_;
}

std::span<const nghttp2_nv> ClientFields::Trailers(const Headers& trailers) {
  fields_.clear();
  for (const Header trailer : trailers) Add(trailer.name, trailer.value);
  return fields_;
}

}  // namespace ringway::http::internal
