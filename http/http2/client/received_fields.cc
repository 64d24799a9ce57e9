// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http2/client/received_fields.h"

#include <cstdint>
#include <optional>

#include "absl/strings/numbers.h"

namespace ringway::http::internal {

void ReceivedFields::BeginHead() {
  head_.headers.Clear();
  head_.status_code = 0;
  n_bytes_ = n_fields_ = 0;
}

void ReceivedFields::BeginTrailers() {
  in_trailers_ = true;
  n_bytes_ = n_fields_ = 0;
}

bool ReceivedFields::Count(size_t n_bytes) {
  n_bytes_ += n_bytes;
  ++n_fields_;
  if (n_bytes_ <= limits_.header_bytes && n_fields_ <= limits_.header_count)
    return true;
  if (error_.ok()) {
    error_ = absl::ResourceExhaustedError(
        n_bytes_ > limits_.header_bytes
            ? "the response has more than ResponseLimits::header_bytes"
            : "the response has more than ResponseLimits::header_count");
  }
  return false;
}

void ReceivedFields::Add(std::string_view name, std::string_view value) {
  if (name == ":status") {
    int code = 0;  // nghttp2 has checked it
    if (absl::SimpleAtoi(value, &code)) head_.status_code = code;
    return;
  }
  if (!Count(name.size() + value.size())) return;
  Headers& to = in_trailers_ ? trailers_ : head_.headers;
  to.BeginField();
  to.AppendToName(name);
  to.AppendToValue(value);
  to.EndField();
}

bool ReceivedFields::EndHead(bool has_body) {
  if (head_.status_code < 200) {
    if (++n_informational_ > limits_.informational_count && error_.ok()) {
      error_ = absl::ResourceExhaustedError(
          "the response has more than ResponseLimits::informational_count");
    }
    return false;
  }
  uint64_t length = 0;
  const std::optional<std::string_view> text =
      head_.headers.Find("content-length");
  if (text.has_value()) {
    // nghttp2 compares it with the body.
    if (absl::SimpleAtoi(*text, &length)) {
      head_.content_length = length;
    } else if (error_.ok()) {
      error_ =
          absl::DataLossError("the response is malformed: its Content-Length");
    }
  } else if (!has_body) {
    head_.content_length = 0;
  }
  return true;
}

}  // namespace ringway::http::internal
