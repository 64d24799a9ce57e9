// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http2/request_fields.h"

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "ringway/http/message/method.h"
#include "ringway/http/message/target.h"

namespace ringway::http::internal {

namespace {

// Longer than any method that is known; of others a log gets the beginning.
constexpr size_t kMethodBytes = 32;

std::optional<Method> MethodOf(std::string_view name) {
  for (size_t i = 0; i < kMethods; ++i) {
    const auto method = static_cast<Method>(i);
    if (MethodName(method) == name) return method;
  }
  return std::nullopt;
}

}  // namespace

// The first reason counts.
void RequestFields::Fail(int status_code, std::string_view text) {
  if (error_.status_code == 0) error_ = {status_code, text};
}

void RequestFields::Add(std::string_view name, std::string_view value) {
  if (name.starts_with(':')) {
    AddPseudo(name, value);
    return;
  }
  if (!Count(name.size() + value.size())) return;
  if (!in_trailers_ && name == "cookie") {
    // RFC 9113, section 8.2.3.
    if (!cookie_.empty()) cookie_.append("; ");
    cookie_.append(value);
  } else if (!in_trailers_ && name == "host" && has_authority_) {
    // RFC 9113, section 8.3.1.
    if (!EqualsIgnoringCase(*head_.headers.Find("host"), value))
      Fail(400, "the Host field is not the authority");
  } else {
    Append(name, value);
  }
}

void RequestFields::AddPseudo(std::string_view name, std::string_view value) {
  if (name == ":method") {
    method_text_ = value.substr(0, kMethodBytes);
  } else if (name == ":path") {
    if (value.size() > limits_.target_bytes) {
      Fail(414, "the target is too long");
    } else {
      head_.target_text = value;
    }
  } else if (name == ":authority") {
    if (!Count(name.size() + value.size())) return;
    has_authority_ = true;
    Append("host", value);
  } else if (name == ":scheme") {
    good_scheme_ =
        EqualsIgnoringCase(value, "https") || EqualsIgnoringCase(value, "http");
  }
}

bool RequestFields::Count(size_t n_bytes) {
  if (error_.status_code == 431) return false;
  n_bytes_ += n_bytes;
  if (n_bytes_ > limits_.header_bytes) {
    Fail(431, "the header fields are too long");
  } else if (++n_fields_ > limits_.header_count) {
    Fail(431, "there are too many header fields");
  } else {
    return true;
  }
  return false;
}

// Without the checks of Headers::Add(): nghttp2 has made them.
void RequestFields::Append(std::string_view name, std::string_view value) {
  Headers& headers = in_trailers_ ? trailers_ : head_.headers;
  headers.BeginField();
  headers.AppendToName(name);
  headers.AppendToValue(value);
  headers.EndField();
}

void RequestFields::BeginTrailers() {
  in_trailers_ = true;
  n_bytes_ = 0;
  n_fields_ = 0;
}

void RequestFields::EndHead(bool has_body) {
  if (!cookie_.empty()) Append("cookie", cookie_);
  head_.version = Version::kHttp2;
  head_.keep_alive = true;
  CheckMethod();
  CheckTarget();
  CheckHost();
  CheckBody(has_body);
}

void RequestFields::CheckMethod() {
  if (const std::optional<Method> method = MethodOf(method_text_);
      method.has_value()) {
    head_.method = *method;
    if (head_.method == Method::kConnect) Fail(501, "CONNECT is not served");
  } else {
    Fail(501, "the method is unknown");
  }
}

void RequestFields::CheckTarget() {
  if (error_.status_code != 0) return;
  if (!good_scheme_)
    return Fail(400, "the target has another scheme than http and https");
  // The form with a scheme and a host is for HTTP/1: here these are fields.
  if (!head_.target_text.starts_with('/') && head_.target_text != "*")
    return Fail(400, "the target is malformed");
  const absl::StatusOr<Target> target =
      ParseTarget(head_.method, head_.target_text);
  if (!target.ok()) return Fail(400, "the target is malformed");
  head_.target = *target;
}

void RequestFields::CheckHost() {
  const std::optional<std::string_view> host = head_.headers.Find("host");
  if (host.has_value() && !IsAuthority(*host))
    Fail(400, "the authority is malformed");
}

void RequestFields::CheckBody(bool has_body) {
  uint64_t length = 0;
  if (const auto announced = head_.headers.Find("content-length");
      announced.has_value() && absl::SimpleAtoi(*announced, &length)) {
    head_.content_length = length;
  }
  // nghttp2 compares the length with what arrives.
  head_.chunked = has_body && !head_.content_length.has_value();
  if (head_.method == Method::kTrace && has_body)
    return Fail(400, "TRACE has no body");
  if (const auto expect = head_.headers.Find("expect"); expect.has_value()) {
    if (!EqualsIgnoringCase(*expect, "100-continue"))
      return Fail(417, "the expectation is not 100-continue");
    head_.expects_continue = has_body;
  }
}

}  // namespace ringway::http::internal
