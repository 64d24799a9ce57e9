// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http1/response_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/http/http1/head_bytes.h"
#include "ringway/http/http1/transfer_codings.h"
#include "ringway/http/message/status_code.h"

namespace ringway::http {

namespace {

using internal::ChunkingCounter;
using internal::Framing;
using internal::TransferCodings;

absl::Status TooManyBytes() {
  return absl::ResourceExhaustedError(
      "the response has more than ResponseLimits::header_bytes");
}

}  // namespace

// llhttp's, which are C functions.
struct ResponseParser::Callbacks {
  static ResponseParser& Of(llhttp_t* parser) {
    return *static_cast<ResponseParser*>(parser->data);
  }

  static int OnField(llhttp_t* parser, const char* at, size_t n) {
    ResponseParser& self = Of(parser);
    if (!self.in_field_) {
      if (self.fields().size() >= self.limits_.header_count) {
        return self.Refuse(absl::ResourceExhaustedError(
            "the response has more than ResponseLimits::header_count"));
      }
      self.fields().BeginField();
      self.in_field_ = true;
    }
    if (const int e = self.CountFieldBytes(n); e != HPE_OK) return e;
    self.fields().AppendToName({at, n});
    return HPE_OK;
  }

  static int OnValue(llhttp_t* parser, const char* at, size_t n) {
    ResponseParser& self = Of(parser);
    if (const int e = self.CountFieldBytes(n); e != HPE_OK) return e;
    self.fields().AppendToValue({at, n});
    return HPE_OK;
  }

  static int OnValueComplete(llhttp_t* parser) {
    ResponseParser& self = Of(parser);
    self.in_field_ = false;
    self.fields().EndField();
    return HPE_OK;
  }

  static int OnHeadersComplete(llhttp_t* parser) {
    ResponseParser& self = Of(parser);
    if (self.in_trailers_) return HPE_OK;
    self.head_done_ = true;
    return HPE_PAUSED;
  }

  static int OnBody(llhttp_t* parser, const char* at, size_t n) {
    ResponseParser& self = Of(parser);
    // Never more than the bytes that llhttp was given.
    RINGWAY_CHECK(n <= self.body_to_.size() - self.n_body_,
                  "%zu bytes of a body without room", n);
    const auto n_before = static_cast<uint64_t>(at - self.body_from_.data());
    if (self.chunking_.TooMuch(self.n_body_, n_before - self.n_body_)) {
      self.Malformed(ChunkingCounter::kTooMuch);
      return HPE_USER;
    }
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

ResponseParser::ResponseParser(const ResponseLimits& limits)
    : limits_(limits), chunking_(limits.header_bytes) {
  llhttp_init(&parser_, HTTP_RESPONSE, Callbacks::Settings());
  parser_.data = this;
}

void ResponseParser::Reset(Method method, size_t kept_bytes) {
  llhttp_reset(&parser_);
  method_ = method;
  head_.headers.Clear();
  head_.headers.Shrink(kept_bytes);
  head_.status_code = 0;
  head_.version = Version::kHttp11;
  head_.content_length.reset();
  head_.framing = Framing::kNone;
  head_.keep_alive = false;
  trailers_.Clear();
  trailers_.Shrink(0);
  if (!error_.ok()) error_ = absl::OkStatus();
  line_ = StatusLine();
  n_head_ = 0;
  n_field_bytes_ = 0;
  chunking_.Reset();
  in_field_ = in_trailers_ = head_done_ = done_ = false;
}

ParseStep ResponseParser::Fail(absl::Status error) {
  if (error_.ok()) error_ = std::move(error);
  return ParseStep::kFailed;
}

ParseStep ResponseParser::Malformed(std::string_view what) {
  return Fail(
      absl::DataLossError(absl::StrCat("the response is malformed: ", what)));
}

int ResponseParser::Refuse(absl::Status error) {
  Fail(std::move(error));
  return HPE_USER;
}

int ResponseParser::CountFieldBytes(size_t n_bytes) {
  n_field_bytes_ += n_bytes;
  const size_t n_all =
      n_field_bytes_ + (in_trailers_ ? 0 : line_.phrase_bytes());
  return n_all <= limits_.header_bytes ? HPE_OK : Refuse(TooManyBytes());
}

ParseStep ResponseParser::Execute(std::string_view bytes, size_t& n_used) {
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
    case HPE_USER:
      return ParseStep::kFailed;
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_INVALID_CONTENT_LENGTH:
      return Malformed("Content-Length is malformed, twice, or not alone");
    case HPE_INVALID_TRANSFER_ENCODING:
      return Malformed("Transfer-Encoding is malformed, or not alone");
    case HPE_INVALID_CHUNK_SIZE:
      return Malformed("the size of a chunk");
    case HPE_CR_EXPECTED:
    case HPE_LF_EXPECTED:
      return Malformed("a line does not end with CR LF");
    case HPE_INVALID_HEADER_TOKEN:
    case HPE_UNEXPECTED_SPACE:
      return Malformed("a header field");
    default:
      return Malformed(llhttp_errno_name(ended));
  }
}

ParseStep ResponseParser::ParseHead(std::string_view bytes, size_t& n_used) {
  n_used = 0;
  if (!error_.ok()) return ParseStep::kFailed;
  if (bytes.empty()) return ParseStep::kNeedMore;
  const size_t most = limits_.header_bytes + internal::kHeadBytes +
                      internal::kHeadBytesPerField * limits_.header_count;
  const size_t n_good = line_.Check(bytes);
  const size_t n_executed = std::min(n_good, most - n_head_);
  const ParseStep step = Execute(bytes.substr(0, n_executed), n_used);
  n_head_ += n_used;
  if (step == ParseStep::kFailed) return step;
  if (line_.phrase_bytes() > limits_.header_bytes) return Fail(TooManyBytes());
  if (step == ParseStep::kDone) return CheckHead();
  if (n_executed == bytes.size()) return step;
  if (n_executed < n_good) return Fail(TooManyBytes());
  return Malformed(line_.error());
}

ParseStep ResponseParser::CheckHead() {
  if (!head_done_) return Malformed("the head");
  head_.version = llhttp_get_http_minor(&parser_) == 0 ? Version::kHttp10
                                                       : Version::kHttp11;
  head_.status_code = llhttp_get_status_code(&parser_);
  return CheckFraming();
}

// RFC 9112, sections 6.1 and 6.3. Stricter in that Content-Length beside a
// Transfer-Encoding, which llhttp refuses, does not even count where there is
// no body.
ParseStep ResponseParser::CheckFraming() {
  const Headers& headers = head_.headers;
  const bool has_length = (parser_.flags & F_CONTENT_LENGTH) != 0;
  if (has_length) head_.content_length = parser_.content_length;
  const TransferCodings codings = internal::TransferCodingsOf(headers);
  if (codings != TransferCodings::kNone) {
    if (has_length)
      return Malformed("Content-Length beside a Transfer-Encoding");
    if (head_.version == Version::kHttp10)
      return Malformed("HTTP/1.0 has no Transfer-Encoding");
    if (codings == TransferCodings::kMalformed ||
        (parser_.flags & F_CHUNKED) == 0) {
      return Malformed("Transfer-Encoding does not end with chunked, once");
    }
    if (codings == TransferCodings::kOther) {
      return Fail(absl::UnimplementedError(
          "the Transfer-Encoding of the response is not chunked alone"));
    }
  }
  if (method_ == Method::kHead || HasNoBody(head_.status_code)) {
    head_.framing = Framing::kNone;
  } else if (codings == TransferCodings::kChunked) {
    head_.framing = Framing::kChunked;
  } else if (has_length) {
    head_.framing = Framing::kLength;
  } else {
    head_.framing = Framing::kClose;
  }
  head_.keep_alive = head_.framing != Framing::kClose &&
                     !headers.HasElement("Connection", "close") &&
                     (head_.version == Version::kHttp11 ||
                      headers.HasElement("Connection", "keep-alive"));
  return ParseStep::kDone;
}

ParseStep ResponseParser::ParseChunked(std::string_view bytes,
                                       std::span<std::byte> to, size_t& n_used,
                                       size_t& n_body) {
  n_used = 0;
  n_body = 0;
  if (!error_.ok()) return ParseStep::kFailed;
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
    return Malformed(ChunkingCounter::kTooMuch);
  chunking_.Count(n_body, n_used - n_body);
  return done_ ? ParseStep::kDone : ParseStep::kNeedMore;
}

}  // namespace ringway::http
