// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/http1/http1_state.h"

#include <array>
#include <utility>

#include "ringway/http/message/status_code.h"

namespace ringway::http::internal {

void Http1State::Forget() {
  parser_.Reset();
  request_.params().clear();
}

void Http1State::TakeMemory() {
  memory_ = pool_.Take();
  memory_->Swap(parser_.head(), response_.headers());
}

void Http1State::ReturnMemory() {
  if (memory_ == nullptr) return;
  response_.headers().Clear();
  memory_->out.clear();
  memory_->Swap(parser_.head(), response_.headers());
  pool_.Put(std::move(memory_));
}

void Http1State::BeginRequest(MonotonicTime now) {
  const RequestHead& head = parser_.head();
  BeginAnswer(head, now);
  ++n_requests_;
  body_left_ = head.content_length.value_or(0);
  body_done_ = !head.chunked && body_left_ == 0;
  continue_due_ = head.expects_continue;
  client_keeps_ = head.keep_alive;
  keep_ = client_keeps_ && n_requests_ < options().max_requests;
}

// For the next request to follow.
Task<absl::Status> Http1State::SkipBody() {
  std::array<std::byte, 1024> dropped;  // in a frame of the connection
  while (!body_done_) {
    Task<absl::StatusOr<size_t>> read = ReadBody(dropped);
    const absl::StatusOr<size_t> n = co_await std::move(read);
    if (!n.ok()) co_return n.status();
  }
  co_return absl::OkStatus();
}

absl::Status Http1State::OnBody(size_t n) {
  if (!parser_.head().chunked) {
    body_left_ -= n;
    body_done_ = body_left_ == 0;
  }
  return CountBody(n);
}

bool Http1State::TooMuchUnread() const {
  if (body_done_) return false;
  // What a client that waits for 100 does without it, nobody knows; nor how
  // long the rest of a chunked body is. A connection that may have to be closed
  // is not promised to be kept: its client could send the next request on it.
  return continue_due_ || parser_.head().chunked ||
         body_left_ > options().max_unread_bytes;
}

absl::Status Http1State::BeginResponse(int status_code, const Headers& headers,
                                       std::optional<uint64_t> n_body,
                                       bool default_type) {
  if (absl::Status s = StartResponse(status_code, headers, n_body); !s.ok())
    return s;
  const RequestHead& head = parser_.head();
  if (HasNoBody(status_code)) {
    framing_ = Framing::kNone;
  } else if (response_length_.has_value()) {
    framing_ = Framing::kLength;
  } else if (head.version == Version::kHttp10) {
    framing_ = Framing::kClose;
    if (sends_body_) keep_ = false;
  } else {
    framing_ = Framing::kChunked;
  }
  if (refusal_ != 0 || timed_out_ || TooMuchUnread() || drain_.cancelled())
    keep_ = false;

  ConnectionFields fields;
  fields.server = options().server_name;
  if (options().send_date) fields.date = date_.Text();
  fields.framing = framing_;
  fields.content_length = response_length_.value_or(0);
  fields.close = !keep_;
  fields.keep_alive = keep_ && head.version == Version::kHttp10;
  fields.default_type = default_type;
  out().clear();
  AppendResponseHead(status_code, headers, fields, out());
  return absl::OkStatus();
}

absl::Status Http1State::BeginUpgrade(std::string_view protocol,
                                      const Headers& headers) {
  const RequestHead& head = parser_.head();
  if (response_.started())
    return absl::FailedPreconditionError("the response has begun already");
  if (head.version == Version::kHttp10 || !body_done_ ||
      !head.headers.HasElement("Connection", "Upgrade") ||
      !head.headers.HasElement("Upgrade", protocol)) {
    return absl::FailedPreconditionError(
        "the request asks for no upgrade to this protocol");
  }
  if (!headers.status().ok()) return headers.status();
  keep_ = false;
  answered_ = true;
  response_.OnStarted(101);
  ConnectionFields fields;
  fields.framing = Framing::kNone;
  fields.server = options().server_name;
  if (options().send_date) fields.date = date_.Text();
  out().clear();
  AppendResponseHead(101, headers, fields, out());
  return absl::OkStatus();
}

void Http1State::Log(const absl::Status& handled, MonotonicTime now) {
  const bool has_head = parser_.error().status_code == 0;
  TellEnd(has_head ? MethodName(parser_.head().method) : "-", handled, now);
}

}  // namespace ringway::http::internal
