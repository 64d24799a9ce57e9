// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http1/testing/parse_responses.h"

#include <algorithm>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/http/http1/response_parser.h"

namespace ringway::http::testing {

namespace {

using internal::Framing;

FieldList Copy(const Headers& headers) {
  FieldList list;
  for (const Header header : headers)
    list.emplace_back(header.name, header.value);
  return list;
}

class Run {
 public:
  Run(std::string_view bytes, Method method, const Pieces& pieces,
      const ResponseLimits& limits, size_t room)
      : bytes_(bytes),
        method_(method),
        pieces_(pieces),
        parser_(limits),
        room_(room, '\0') {}

  ParsedResponses Play() {
    while (ParseResponse()) {
    }
    return std::move(result_);
  }

 private:
  // What has arrived and was not used; more if that is nothing.
  std::string_view Arrived() {
    if (n_used_ == n_arrived_) {
      const size_t n = std::max<size_t>(pieces_(n_arrived_), 1);
      n_arrived_ += std::min(n, bytes_.size() - n_arrived_);
    }
    return bytes_.substr(n_used_, n_arrived_ - n_used_);
  }

  // False if the connection ends, or the response is not whole.
  bool ParseResponse() {
    parser_.Reset(method_);
    if (!ParseHead()) return false;
    const ReceivedResponse& head = parser_.head();
    ParsedResponse response = {head.status_code,   head.version,
                               Copy(head.headers), head.content_length,
                               head.framing,       head.keep_alive,
                               std::string(),      FieldList()};
    if (!ParseBody(response)) return false;
    response.trailers = Copy(parser_.trailers());
    result_.responses.push_back(std::move(response));
    result_.n_used = n_used_;
    return result_.responses.back().keep_alive ||
           result_.responses.back().status_code < 200;
  }

  bool ParseHead() {
    while (true) {
      const std::string_view bytes = Arrived();
      if (bytes.empty()) {
        result_.waits = parser_.begun();
        return false;
      }
      size_t n_used = 0;
      const ParseStep step = parser_.ParseHead(bytes, n_used);
      n_used_ += n_used;
      if (Failed(step)) return false;
      if (step == ParseStep::kDone) return true;
      RINGWAY_CHECK(n_used == bytes.size(), "more was needed: %zu were left",
                    bytes.size() - n_used);
    }
  }

  bool ParseBody(ParsedResponse& response) {
    if (response.framing == Framing::kNone) return true;
    if (response.framing == Framing::kChunked)
      return ParseChunked(response.body);
    uint64_t n = bytes_.size() - n_used_;
    if (response.framing == Framing::kLength) {
      if (*response.content_length > n) {
        result_.waits = true;
        return false;
      }
      n = *response.content_length;
    }
    response.body = bytes_.substr(n_used_, n);
    n_used_ += n;
    n_arrived_ = std::max(n_arrived_, n_used_);
    return true;
  }

  bool ParseChunked(std::string& body) {
    while (true) {
      const std::string_view bytes = Arrived();
      if (bytes.empty()) {
        result_.waits = true;
        return false;
      }
      size_t n_used = 0;
      size_t n_body = 0;
      const ParseStep step = parser_.ParseChunked(
          bytes, std::as_writable_bytes(std::span(room_)), n_used, n_body);
      RINGWAY_CHECK(n_body <= n_used, "%zu bytes from %zu", n_body, n_used);
      n_used_ += n_used;
      if (Failed(step)) return false;
      body.append(room_, 0, n_body);
      if (step == ParseStep::kDone) return true;
      RINGWAY_CHECK(n_used > 0, "more was needed, but nothing used");
    }
  }

  bool Failed(ParseStep step) {
    if (step != ParseStep::kFailed) return false;
    result_.error = parser_.error();
    RINGWAY_CHECK(!result_.error.ok(), "a failure without an error");
    return true;
  }

  const std::string_view bytes_;
  const Method method_;
  const Pieces& pieces_;
  ResponseParser parser_;
  std::string room_;
  ParsedResponses result_;
  size_t n_arrived_ = 0;
  size_t n_used_ = 0;
};

}  // namespace

std::string ParsedResponses::Summary() const {
  std::string text;
  for (const ParsedResponse& response : responses) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", response.status_code);
    if (response.framing != Framing::kNone)
      absl::StrAppend(&text, " ", response.body.size());
    if (response.keep_alive) absl::StrAppend(&text, "+");
  }
  if (!error.ok()) {
    absl::StrAppend(&text, text.empty() ? "" : ", ",
                    absl::StatusCodeToString(error.code()));
  }
  if (waits) absl::StrAppend(&text, text.empty() ? "" : ", ", "...");
  return text;
}

ParsedResponses ParseResponses(std::string_view bytes, Method method,
                               const Pieces& pieces,
                               const ResponseLimits& limits, size_t room) {
  return Run(bytes, method, pieces, limits, room).Play();
}

}  // namespace ringway::http::testing
