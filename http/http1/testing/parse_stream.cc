// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/http1/testing/parse_stream.h"

#include <algorithm>
#include <span>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/http/http1/testing/requests.h"

namespace ringway::http::testing {

namespace {

FieldList Copy(const Headers& headers) {
  FieldList list;
  for (const Header header : headers)
    list.emplace_back(header.name, header.value);
  return list;
}

class Run {
 public:
  Run(std::string_view bytes, const Pieces& pieces, const RequestLimits& limits,
      size_t room)
      : bytes_(bytes), pieces_(pieces), parser_(limits), room_(room) {}

  ParsedStream Play() {
    while (result_.refused_with == 0 && !result_.waits && ParseRequest()) {
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

  // False if no request follows.
  bool ParseRequest() {
    parser_.Reset();
    if (!ParseHead()) return false;
    ParsedRequest request = CopyHead();
    if (!ParseBody(request.body)) return false;
    request.trailers = Copy(parser_.trailers());
    result_.requests.push_back(std::move(request));
    result_.n_used = n_used_;
    return result_.requests.back().keep_alive;
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
      Use(step, n_used, bytes.size());
      if (step == ParseStep::kFailed) return false;
      if (step == ParseStep::kDone) return true;
      RINGWAY_CHECK(n_used == bytes.size(), "more was needed: %zu were left",
                    bytes.size() - n_used);
    }
  }

  ParsedRequest CopyHead() {
    const RequestHead& head = parser_.head();
    return {head.method,
            head.version,
            head.target_text,
            std::string(head.target.path),
            std::string(head.target.query),
            std::string(head.target.authority),
            Copy(head.headers),
            head.content_length,
            head.chunked,
            head.expects_continue,
            head.keep_alive};
  }

  bool ParseBody(std::string& body) {
    if (parser_.head().chunked) return ParseChunked(body);
    const uint64_t length = parser_.head().content_length.value_or(0);
    if (length > bytes_.size() - n_used_) {
      result_.waits = true;
      return false;
    }
    body = bytes_.substr(n_used_, length);
    n_used_ += length;
    n_arrived_ = std::max(n_arrived_, n_used_);
    return true;
  }

  bool ParseChunked(std::string& body) {
    std::string room(room_, '\0');
    while (true) {
      const std::string_view bytes = Arrived();
      if (bytes.empty()) {
        result_.waits = true;
        return false;
      }
      size_t n_used = 0;
      size_t n_body = 0;
      const ParseStep step = parser_.ParseChunked(
          bytes, std::as_writable_bytes(std::span(room)), n_used, n_body);
      RINGWAY_CHECK(n_body <= n_used, "%zu bytes from %zu", n_body, n_used);
      Use(step, n_used, bytes.size());
      if (step == ParseStep::kFailed) return false;
      body.append(room, 0, n_body);
      if (step == ParseStep::kDone) return true;
      RINGWAY_CHECK(n_used > 0, "more was needed, but nothing used");
    }
  }

  void Use(ParseStep step, size_t n_used, size_t n_bytes) {
    RINGWAY_CHECK(n_used <= n_bytes, "%zu bytes used of %zu", n_used, n_bytes);
    n_used_ += n_used;
    const int code = parser_.error().status_code;
    RINGWAY_CHECK((step == ParseStep::kFailed) == (code != 0),
                  "step %d with error %d", static_cast<int>(step), code);
    if (code == 0) return;
    RINGWAY_CHECK(!parser_.error().text.empty(), "an error without text");
    result_.refused_with = code;
    size_t n = 0;
    RINGWAY_CHECK(parser_.ParseHead("GET", n) == ParseStep::kFailed && n == 0,
                  "an error was not final");
    RINGWAY_CHECK(parser_.ParseChunked("1", {}, n, n) == ParseStep::kFailed,
                  "an error was not final");
  }

  const std::string_view bytes_;
  const Pieces& pieces_;
  RequestParser parser_;
  const size_t room_;
  ParsedStream result_;
  size_t n_arrived_ = 0;
  size_t n_used_ = 0;
};

void AppendFields(const FieldList& fields, std::string& to) {
  for (const auto& [name, value] : fields)
    absl::StrAppend(&to, name, ": ", value, "\r\n");
  to += "\r\n";
}

}  // namespace

std::vector<int> ParsedStream::Verdicts() const {
  std::vector<int> verdicts(requests.size(), 200);
  if (refused_with != 0) verdicts.push_back(refused_with);
  // Empty lines are no request, but nothing else is there to be waited for.
  if (waits || verdicts.empty()) verdicts.push_back(kWaits);
  return verdicts;
}

size_t InOnePiece(size_t /*n_arrived*/) { return SIZE_MAX; }
size_t ByteByByte(size_t /*n_arrived*/) { return 1; }

Pieces CutAt(size_t n_bytes) {
  return [n_bytes](size_t n_arrived) {
    return n_arrived < n_bytes ? n_bytes - n_arrived : SIZE_MAX;
  };
}

ParsedStream ParseStream(std::string_view bytes, const Pieces& pieces,
                         const RequestLimits& limits, size_t room) {
  return Run(bytes, pieces, limits, room).Play();
}

std::string Serialise(const ParsedRequest& request) {
  std::string bytes = absl::StrCat(
      MethodName(request.method), " ", request.target,
      request.version == Version::kHttp10 ? " HTTP/1.0" : " HTTP/1.1", "\r\n");
  AppendFields(request.headers, bytes);
  if (!request.chunked) return bytes + request.body;
  if (!request.body.empty())
    absl::StrAppend(&bytes, absl::Hex(request.body.size()), "\r\n",
                    request.body, "\r\n");
  bytes += "0\r\n";
  AppendFields(request.trailers, bytes);
  return bytes;
}

}  // namespace ringway::http::testing
