// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http1/request_parser.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/http/http1/head_bytes.h"
#include "ringway/http/http1/transfer_codings.h"

namespace ringway::http {

namespace {

using internal::ChunkingCounter;
using internal::TransferCodings;

std::optional<Method> MethodOf(uint8_t method) {
  switch (method) {
    case HTTP_GET:
      return Method::kGet;
    case HTTP_HEAD:
      return Method::kHead;
    case HTTP_POST:
      return Method::kPost;
    case HTTP_PUT:
      return Method::kPut;
    case HTTP_DELETE:
      return Method::kDelete;
    case HTTP_CONNECT:
      return Method::kConnect;
    case HTTP_OPTIONS:
      return Method::kOptions;
    case HTTP_TRACE:
      return Method::kTrace;
    case HTTP_PATCH:
      return Method::kPatch;
    default:
      return std::nullopt;
  }
}

}  // namespace

// llhttp's, which are C functions.
struct RequestParser::Callbacks {
  static RequestParser& Of(llhttp_t* parser) {
    return *static_cast<RequestParser*>(parser->data);
  }

  static int OnUrl(llhttp_t* parser, const char* at, size_t n) {
    RequestParser& self = Of(parser);
    if (n > self.limits_.target_bytes - self.head_.target_text.size())
      return self.Refuse(414, "the target is too long");
    self.head_.target_text.append(at, n);
    return HPE_OK;
  }

  static int OnField(llhttp_t* parser, const char* at, size_t n) {
    RequestParser& self = Of(parser);
    if (!self.in_field_) {
      if (self.fields().size() >= self.limits_.header_count)
        return self.Refuse(431, "there are too many header fields");
      self.fields().BeginField();
      self.in_field_ = true;
    }
    if (const int e = self.CountFieldBytes(n); e != HPE_OK) return e;
    self.fields().AppendToName({at, n});
    return HPE_OK;
  }

  static int OnValue(llhttp_t* parser, const char* at, size_t n) {
    RequestParser& self = Of(parser);
    if (const int e = self.CountFieldBytes(n); e != HPE_OK) return e;
    self.fields().AppendToValue({at, n});
    return HPE_OK;
  }

  static int OnValueComplete(llhttp_t* parser) {
    RequestParser& self = Of(parser);
    self.in_field_ = false;
    self.fields().EndField();
    return HPE_OK;
  }

  static int OnHeadersComplete(llhttp_t* parser) {
    RequestParser& self = Of(parser);
    if (self.in_trailers_) return HPE_OK;
    self.head_done_ = true;
    return HPE_PAUSED;
  }

  static int OnBody(llhttp_t* parser, const char* at, size_t n) {
    RequestParser& self = Of(parser);
    // Never more than the bytes that llhttp was given.
    RINGWAY_CHECK(n <= self.body_to_.size() - self.n_body_,
                  "%zu bytes of a body without room", n);
    const auto n_before = static_cast<size_t>(at - self.body_from_.data());
    if (self.chunking_.TooMuch(self.n_body_, n_before - self.n_body_))
      return self.Refuse(400, ChunkingCounter::kTooMuch);
    memcpy(self.body_to_.data() + self.n_body_, at, n);
    self.n_body_ += n;
    return HPE_OK;
  }

  static int OnMessageComplete(llhttp_t* parser) {
    Of(parser).done_ = true;
    return HPE_PAUSED;
  }

  static llhttp_settings_t Make() {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_url = &OnUrl;
    settings.on_header_field = &OnField;
    settings.on_header_value = &OnValue;
    settings.on_header_value_complete = &OnValueComplete;
    settings.on_headers_complete = &OnHeadersComplete;
    settings.on_body = &OnBody;
    settings.on_message_complete = &OnMessageComplete;
    return settings;
  }

  static const llhttp_settings_t* Settings() {
    static const llhttp_settings_t settings = Make();
    return &settings;
  }
};

RequestParser::RequestParser(const RequestLimits& limits)
    : limits_(limits), chunking_(limits.header_bytes) {
  llhttp_init(&parser_, HTTP_REQUEST, Callbacks::Settings());
  parser_.data = this;
}

void RequestParser::Reset() {
  llhttp_reset(&parser_);
  head_.headers.Clear();
  head_.target_text.clear();
  head_.target = Target();
  // What is refused before they are known is answered as a GET.
  head_.method = Method::kGet;
  head_.version = Version::kHttp11;
  head_.content_length.reset();
  head_.chunked = false;
  head_.expects_continue = false;
  head_.keep_alive = false;
  trailers_.Clear();
  trailers_.Shrink(0);
  error_ = RequestError();
  line_ = RequestLine();
  n_head_ = 0;
  n_field_bytes_ = 0;
  chunking_.Reset();
  in_field_ = in_trailers_ = head_done_ = done_ = false;
}

ParseStep RequestParser::Fail(int status_code, std::string_view text) {
  if (error_.status_code == 0) error_ = {status_code, text};
  return ParseStep::kFailed;
}

int RequestParser::Refuse(int status_code, std::string_view text) {
  Fail(status_code, text);
  return HPE_USER;
}

int RequestParser::CountFieldBytes(size_t n_bytes) {
  n_field_bytes_ += n_bytes;
  if (n_field_bytes_ <= limits_.header_bytes) return HPE_OK;
  return Refuse(431, "the header fields are too long");
}

ParseStep RequestParser::Execute(std::string_view bytes, size_t& n_used) {
  const llhttp_errno_t ended =
      llhttp_execute(&parser_, bytes.data(), bytes.size());
  n_used = bytes.size();
  switch (ended) {
    case HPE_OK:
      return ParseStep::kNeedMore;
    case HPE_PAUSED:
    case HPE_PAUSED_UPGRADE:
      n_used =
          static_cast<size_t>(llhttp_get_error_pos(&parser_) - bytes.data());
      return ParseStep::kDone;
    case HPE_INVALID_METHOD:
      return Fail(501, "the method is unknown");
    case HPE_INVALID_URL:
      return Fail(400, "the target is malformed");
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_INVALID_CONTENT_LENGTH:
      return Fail(400, "Content-Length is malformed, twice, or not alone");
    case HPE_INVALID_TRANSFER_ENCODING:
      return Fail(400, "Transfer-Encoding is malformed, or not alone");
    case HPE_INVALID_CHUNK_SIZE:
      return Fail(400, "the size of a chunk is malformed");
    case HPE_CR_EXPECTED:
    case HPE_LF_EXPECTED:
      return Fail(400, "a line does not end with CR LF");
    case HPE_INVALID_HEADER_TOKEN:
    case HPE_UNEXPECTED_SPACE:
      return Fail(400, "a header field is malformed");
    default:
      return Fail(400, "the request is malformed");
  }
}

ParseStep RequestParser::ParseHead(std::string_view bytes, size_t& n_used) {
  n_used = 0;
  if (error_.status_code != 0) return ParseStep::kFailed;
  if (bytes.empty()) return ParseStep::kNeedMore;
  const size_t most = limits_.target_bytes + limits_.header_bytes +
                      internal::kHeadBytes +
                      internal::kHeadBytesPerField * limits_.header_count;
  const size_t n_good = line_.Check(bytes);
  const size_t n_executed = std::min(n_good, most - n_head_);
  const ParseStep step = Execute(bytes.substr(0, n_executed), n_used);
  n_head_ += n_used;
  if (step == ParseStep::kDone) return CheckHead();
  if (step == ParseStep::kFailed || n_executed == bytes.size()) return step;
  if (n_executed < n_good) return Fail(431, "the head is too long");
  return Fail(line_.error().status_code, line_.error().text);
}

ParseStep RequestParser::CheckHead() {
  if (!head_done_) return Fail(400, "the request is malformed");
  head_.version = llhttp_get_http_minor(&parser_) == 0 ? Version::kHttp10
                                                       : Version::kHttp11;
  const std::optional<Method> method = MethodOf(llhttp_get_method(&parser_));
  if (!method.has_value()) return Fail(501, "the method is unknown");
  head_.method = *method;
  const absl::StatusOr<Target> target =
      ParseTarget(head_.method, head_.target_text);
  if (!target.ok()) return Fail(400, "the target is malformed");
  head_.target = *target;
  if (const ParseStep step = CheckHost(); step != ParseStep::kDone) return step;
  return CheckFraming();
}

// RFC 9112, section 3.2.
ParseStep RequestParser::CheckHost() {
  std::optional<std::string_view> host;
  for (const Header header : head_.headers) {
    if (!EqualsIgnoringCase(header.name, "Host")) continue;
    if (host.has_value()) return Fail(400, "there are several Host fields");
    host = header.value;
  }
  if (!host.has_value()) {
    if (head_.version == Version::kHttp11)
      return Fail(400, "there is no Host field");
    return ParseStep::kDone;
  }
  if (!IsAuthority(*host)) return Fail(400, "the Host field is malformed");
  return ParseStep::kDone;
}

// RFC 9112, section 6.
ParseStep RequestParser::CheckFraming() {
  const Headers& headers = head_.headers;
  if ((parser_.flags & F_CONTENT_LENGTH) != 0)
    head_.content_length = parser_.content_length;
  if (headers.Has("Transfer-Encoding")) {
    if (const ParseStep s = CheckCodings(); s != ParseStep::kDone) return s;
    head_.chunked = true;
  }
  if (head_.method == Method::kTrace &&
      (head_.chunked || head_.content_length.value_or(0) > 0)) {
    return Fail(400, "TRACE has no body");
  }
  head_.keep_alive = !headers.HasElement("Connection", "close") &&
                     (head_.version == Version::kHttp11 ||
                      headers.HasElement("Connection", "keep-alive"));
  return CheckExpect();
}

// RFC 9112, sections 6.1 and 6.3: what does not end with chunked has no end,
// and what ends with it, but is more, is a coding that is not implemented.
ParseStep RequestParser::CheckCodings() {
  if (head_.version == Version::kHttp10)
    return Fail(400, "HTTP/1.0 has no Transfer-Encoding");
  const TransferCodings codings = internal::TransferCodingsOf(head_.headers);
  if (codings == TransferCodings::kMalformed ||
      (parser_.flags & F_CHUNKED) == 0) {
    return Fail(400, "Transfer-Encoding does not end with chunked, once");
  }
  if (codings == TransferCodings::kOther)
    return Fail(501, "Transfer-Encoding is not chunked alone");
  return ParseStep::kDone;
}

// RFC 9110, section 10.1.1.
ParseStep RequestParser::CheckExpect() {
  if (head_.version == Version::kHttp10 || !head_.headers.Has("Expect"))
    return ParseStep::kDone;
  for (const Header header : head_.headers) {
    if (EqualsIgnoringCase(header.name, "Expect") &&
        !EqualsIgnoringCase(header.value, "100-continue")) {
      return Fail(417, "the expectation is not 100-continue");
    }
  }
  head_.expects_continue =
      head_.chunked || head_.content_length.value_or(0) > 0;
  return ParseStep::kDone;
}

ParseStep RequestParser::ParseChunked(std::string_view bytes,
                                      std::span<std::byte> to, size_t& n_used,
                                      size_t& n_body) {
  n_used = 0;
  n_body = 0;
  if (error_.status_code != 0) return ParseStep::kFailed;
  if (done_) return ParseStep::kDone;
  if (!in_trailers_) {
    in_trailers_ = true;
    n_field_bytes_ = 0;
    llhttp_resume(&parser_);
  }
  // What comes out is never more than what went in.
  bytes = bytes.substr(0, to.size());
  if (bytes.empty()) return ParseStep::kNeedMore;
  body_from_ = bytes;
  body_to_ = to;
  n_body_ = 0;
  const ParseStep step = Execute(bytes, n_used);
  n_body = n_body_;
  body_from_ = {};
  body_to_ = {};
  if (step == ParseStep::kFailed) return step;
  if (chunking_.TooMuch(n_body, n_used - n_body))
    return Fail(400, ChunkingCounter::kTooMuch);
  chunking_.Count(n_body, n_used - n_body);
  return done_ ? ParseStep::kDone : ParseStep::kNeedMore;
}

}  // namespace ringway::http
