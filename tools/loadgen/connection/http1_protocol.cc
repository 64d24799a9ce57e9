// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/connection/http1_protocol.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/http/http1/parse_step.h"
#include "ringway/http/http1/received_response.h"
#include "ringway/http/http1/request_text.h"
#include "ringway/tools/loadgen/payload.h"

namespace ringway::loadgen {
namespace {

using http::ParseStep;
using http::internal::Framing;

std::string TextOf(const HttpRequest& request) {
  std::string text;
  const absl::Status appended =
      http::AppendRequestHead(OutgoingOf(request), text);
  RINGWAY_CHECK(appended.ok(), "a request that cannot be sent");
  const size_t n_head = text.size();
  text.resize(n_head + request.body_bytes);
  FillRequest(/*connection=*/0, /*sequence=*/0,
              std::as_writable_bytes(std::span(text)).subspan(n_head));
  return text;
}

}  // namespace

Http1Protocol::Http1Protocol(const HttpRequest& request, size_t depth,
                             bool verify, ExpectedResponse& expected)
    : depth_(depth),
      verify_(verify),
      compare_bodies_(request.compare_bodies),
      method_(request.method),
      expected_(expected),
      request_(TextOf(request)),
      parser_(http::ResponseLimits()) {}

void Http1Protocol::Begin() {
  complete_ = sent_;
  complete_before_ = complete_;
  wants_new_connection_ = false;
  n_informational_ = 0;
  ExpectHead();
}

void Http1Protocol::ExpectHead() {
  part_ = Part::kHead;
  parser_.Reset(method_);
}

std::span<const std::byte> Http1Protocol::Fill(size_t n, RequestSource&) {
  while (outgoing_.size() < n * request_.size()) outgoing_ += request_;
  sent_ += n;
  return std::as_bytes(std::span(outgoing_)).first(n * request_.size());
}

absl::Status Http1Protocol::Take(std::span<const std::byte> bytes,
                                 RequestSource& source) {
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()),
                        bytes.size());
  absl::Status taken = TakeBytes(rest, source);
  TellAnswered(source);
  return taken;
}

absl::Status Http1Protocol::TakeBytes(std::string_view& bytes,
                                      RequestSource& source) {
  while (!bytes.empty()) {
    if (in_flight() == 0) {
      return absl::DataLossError(
          absl::StrCat("the server sent ", bytes.size(), " bytes too many"));
    }
    absl::Status taken = part_ == Part::kHead ? TakeHead(bytes, source)
                                              : TakeBody(bytes, source);
    if (!taken.ok()) return taken;
  }
  return absl::OkStatus();
}

absl::Status Http1Protocol::TakeHead(std::string_view& bytes,
                                     RequestSource& source) {
  size_t n_used = 0;
  const ParseStep step = parser_.ParseHead(bytes, n_used);
  bytes.remove_prefix(n_used);
  switch (step) {
    case ParseStep::kNeedMore:
      return absl::OkStatus();
    case ParseStep::kFailed:
      return parser_.error();
    case ParseStep::kDone:
      break;
  }
  if (parser_.head().status_code >= 200) return BeginBody(source);
  if (++n_informational_ > http::ResponseLimits().informational_count)
    return absl::DataLossError("too many informational responses");
  ExpectHead();
  return absl::OkStatus();
}

absl::Status Http1Protocol::BeginBody(RequestSource& source) {
  part_ = Part::kBody;
  n_informational_ = 0;
  n_body_ = 0;
  hash_.Reset();
  const http::ReceivedResponse& head = parser_.head();
  const bool is_empty =
      head.framing == Framing::kNone ||
      (head.framing == Framing::kLength && *head.content_length == 0);
  return is_empty ? Complete(source) : absl::OkStatus();
}

absl::Status Http1Protocol::TakeBody(std::string_view& bytes,
                                     RequestSource& source) {
  const http::ReceivedResponse& head = parser_.head();
  if (head.framing == Framing::kChunked) return TakeChunked(bytes, source);
  size_t n = bytes.size();
  if (head.framing == Framing::kLength) {
    n = static_cast<size_t>(
        std::min<uint64_t>(n, *head.content_length - n_body_));
  }
  AddToBody(bytes.substr(0, n));
  bytes.remove_prefix(n);
  if (head.framing == Framing::kLength && n_body_ == *head.content_length)
    return Complete(source);
  return absl::OkStatus();
}

absl::Status Http1Protocol::TakeChunked(std::string_view& bytes,
                                        RequestSource& source) {
  size_t n_used = 0;
  size_t n_decoded = 0;
  const ParseStep step =
      parser_.ParseChunked(bytes, decoded_, n_used, n_decoded);
  bytes.remove_prefix(n_used);
  if (step == ParseStep::kFailed) return parser_.error();
  AddToBody({reinterpret_cast<const char*>(decoded_.data()), n_decoded});
  return step == ParseStep::kDone ? Complete(source) : absl::OkStatus();
}

void Http1Protocol::AddToBody(std::string_view bytes) {
  n_body_ += bytes.size();
  if (compare_bodies_) hash_.Add(bytes);
}

absl::Status Http1Protocol::Complete(RequestSource& source) {
  const http::ReceivedResponse& head = parser_.head();
  wants_new_connection_ = !head.keep_alive;
  absl::Status expected =
      verify_ ? expected_.Check(head.status_code, n_body_, hash_.value())
              : absl::OkStatus();
  const uint64_t number = complete_++;
  if (expected.ok()) [[likely]] {
    ++n_untold_;
  } else {
    TellAnswered(source);
    source.OnFailed(number, expected);
  }
  ExpectHead();
  return wants_new_connection_ && in_flight() > 0 ? ClosedEarly()
                                                  : absl::OkStatus();
}

void Http1Protocol::TellAnswered(RequestSource& source) {
  if (n_untold_ > 0) source.OnOldestAnswered(n_untold_);
  n_untold_ = 0;
}

absl::Status Http1Protocol::TakeEnd(RequestSource& source) {
  if (part_ == Part::kBody && parser_.head().framing == Framing::kClose) {
    absl::Status completed = Complete(source);
    TellAnswered(source);
    wants_new_connection_ = true;
    return completed;
  }
  // An idle connection may be closed at any time, but one that was never of
  // use would be replaced again and again.
  if (in_flight() > 0 || complete_ == complete_before_) return ClosedEarly();
  wants_new_connection_ = true;
  return absl::OkStatus();
}

absl::Status Http1Protocol::ClosedEarly() const {
  return absl::OutOfRangeError(
      absl::StrCat("the server closed the connection, and ", in_flight(),
                   " requests have no response"));
}

}  // namespace ringway::loadgen
