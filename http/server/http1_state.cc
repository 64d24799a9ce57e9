// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/http1_state.h"

#include <array>
#include <exception>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ringway/http/message/status_code.h"

namespace ringway::http::internal {

void Http1State::Forget() {
  parser_.Reset(kKeptBytes);
  request_.params().clear();
  ShrinkOut();
}

void Http1State::ShrinkOut() {
  out_.clear();
  // Assigning an empty string would keep the memory.
  if (out_.capacity() > kKeptBytes + kCopiedBytes) std::string().swap(out_);
}

void Http1State::BeginRequest(MonotonicTime now) {
  const RequestHead& head = parser_.head();
  ++n_requests_;
  begun_at_ = now;
  response_.Reset();
  body_left_ = head.content_length.value_or(0);
  body_done_ = !head.chunked && body_left_ == 0;
  n_body_ = 0;
  continue_due_ = head.expects_continue;
  keep_ = head.keep_alive && n_requests_ < options().max_requests;
  response_length_.reset();
  n_response_ = 0;
  refusal_ = 0;
  sends_body_ = response_ended_ = timed_out_ = false;
}

Task<absl::Status> Http1State::RunHandler() {
  try {
    Task<absl::Status> run = core_->handler(request_, response_);
    co_return co_await std::move(run);
  } catch (const std::exception& thrown) {
    if (response_.started()) cut_ = true;
    co_return absl::InternalError(thrown.what());
  } catch (...) {
    if (response_.started()) cut_ = true;
    co_return absl::InternalError("the handler has thrown");
  }
}

// For the next request to follow.
Task<absl::Status> Http1State::SkipBody() {
  std::array<std::byte, 1024> dropped;  // in a frame of the connection
  uint64_t n_skipped = 0;
  while (!body_done_) {
    Task<absl::StatusOr<size_t>> read = ReadBody(dropped);
    const absl::StatusOr<size_t> n = co_await std::move(read);
    if (!n.ok()) co_return n.status();
    n_skipped += *n;
    if (n_skipped > options().max_unread_bytes)
      co_return absl::ResourceExhaustedError("nobody reads the body");
  }
  co_return absl::OkStatus();
}

absl::Status Http1State::Refuse(int status_code, absl::Status status) {
  if (refusal_ == 0) refusal_ = status_code;
  keep_ = false;
  return status;
}

absl::Status Http1State::OnBody(size_t n) {
  n_body_ += n;
  if (!parser_.head().chunked) {
    body_left_ -= n;
    body_done_ = body_left_ == 0;
  }
  if (n_body_ <= options().max_body_bytes) return absl::OkStatus();
  return Refuse(413, absl::ResourceExhaustedError(
                         absl::StrCat("the body has more than max_body_bytes, ",
                                      options().max_body_bytes)));
}

bool Http1State::TooMuchUnread() const {
  if (body_done_) return false;
  // What a client that waits for 100 does without it, nobody knows.
  if (continue_due_) return true;
  return body_left_ > options().max_unread_bytes ||
         n_body_ > options().max_body_bytes;
}

absl::Status Http1State::BeginResponse(int status_code, const Headers& headers,
                                       std::optional<uint64_t> n_body,
                                       bool default_type) {
  if (response_.started())
    return absl::FailedPreconditionError("the response has begun already");
  if (status_code < 200 || status_code > 599) {
    return absl::InvalidArgumentError(
        absl::StrCat(status_code, " is not the status of a response"));
  }
  if (!headers.status().ok()) return headers.status();
  const RequestHead& head = parser_.head();
  const bool is_head = head.method == Method::kHead;
  std::optional<uint64_t> length = n_body;
  const bool only_length = is_head && n_body == uint64_t{0};
  if (!length.has_value() || only_length) {
    if (const auto announced = headers.Find("Content-Length");
        announced.has_value()) {
      uint64_t n = 0;
      if (!absl::SimpleAtoi(*announced, &n)) {
        return absl::InvalidArgumentError(
            absl::StrCat("Content-Length is \"", *announced, "\""));
      }
      length = n;
    }
  }
  if (HasNoBody(status_code)) {
    framing_ = Framing::kNone;
  } else if (length.has_value()) {
    framing_ = Framing::kLength;
  } else if (head.version == Version::kHttp10) {
    framing_ = Framing::kClose;
    keep_ = keep_ && is_head;
  } else {
    framing_ = Framing::kChunked;
  }
  if (TooMuchUnread() || drain_.cancelled()) keep_ = false;
  response_length_ = framing_ == Framing::kLength ? length : std::nullopt;
  sends_body_ = framing_ != Framing::kNone && !is_head;
  response_.OnStarted(status_code);

  ConnectionFields fields;
  fields.server = options().server_name;
  if (options().send_date) fields.date = date_.Text();
  fields.framing = framing_;
  fields.content_length = length.value_or(0);
  fields.close = !keep_;
  fields.keep_alive = keep_ && head.version == Version::kHttp10;
  fields.default_type = default_type;
  out_.clear();
  AppendResponseHead(status_code, headers, fields, out_);
  return absl::OkStatus();
}

absl::Status Http1State::OnResponseBody(uint64_t n) {
  if (!response_.started() || response_ended_) {
    return absl::FailedPreconditionError(response_ended_
                                             ? "the response has ended"
                                             : "the response was not started");
  }
  if (response_length_.has_value() && n > *response_length_ - n_response_) {
    return absl::FailedPreconditionError(
        absl::StrCat("the response has more bytes than its Content-Length, ",
                     *response_length_));
  }
  n_response_ += n;
  if (sends_body_) response_.OnBody(n);
  return absl::OkStatus();
}

absl::Status Http1State::EndResponse() {
  if (absl::Status s = OnResponseBody(0); !s.ok()) return s;
  if (sends_body_ && response_length_.has_value() &&
      n_response_ < *response_length_) {
    return absl::FailedPreconditionError(
        absl::StrCat("the response has ", n_response_, " bytes, and not the ",
                     *response_length_, " of its Content-Length"));
  }
  response_ended_ = true;
  return absl::OkStatus();
}

int Http1State::StatusCodeFor(const absl::Status& handled) const {
  if (refusal_ != 0) return refusal_;
  if (timed_out_) return 503;
  return handled.ok() ? 500 : StatusCodeOf(handled);
}

void Http1State::Log(const absl::Status& handled, MonotonicTime now) {
  const RequestHead& head = parser_.head();
  if (refusal_ != 0 || timed_out_)
    core_->metrics.OnRefusal(refusal_ != 0 ? refusal_ : 503);
  // The peer's name costs a system call.
  static const net::SocketAddress kNobody;
  const bool has_head = parser_.error().status_code == 0;
  core_->OnRequestEnd({options().on_request_end ? peer() : kNobody,
                       has_head ? MethodName(head.method) : "-",
                       head.target_text, response_.status_code(),
                       response_.body_bytes(), now - begun_at_, handled});
}

}  // namespace ringway::http::internal
