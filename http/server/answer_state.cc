// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/answer_state.h"

#include <exception>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ringway/http/message/method.h"
#include "ringway/http/message/status_code.h"
#include "ringway/net/socket_address.h"

namespace ringway::http::internal {

void AnswerState::BeginAnswer(const RequestHead& head, MonotonicTime now) {
  head_ = &head;
  begun_at_ = now;
  response_.Reset();
  response_length_.reset();
  n_body_ = n_response_ = 0;
  refusal_ = 0;
  sends_body_ = answered_ = timed_out_ = false;
}

// --- The request.

absl::Status AnswerState::Refuse(int status_code, absl::Status status) {
  if (refusal_ == 0) refusal_ = status_code;
  return status;
}

absl::Status AnswerState::CheckLength() {
  if (head_->content_length.value_or(0) <= options().max_body_bytes)
    return absl::OkStatus();
  return Refuse(413, absl::ResourceExhaustedError(
                         "the body is longer than max_body_bytes"));
}

absl::Status AnswerState::CountBody(size_t n) {
  n_body_ += n;
  if (n_body_ <= options().max_body_bytes) return absl::OkStatus();
  return Refuse(413, absl::ResourceExhaustedError(
                         absl::StrCat("the body has more than max_body_bytes, ",
                                      options().max_body_bytes)));
}

Task<absl::Status> AnswerState::RunHandler(Request& request) {
  try {
    Task<absl::Status> run = core_.handler(request, response_);
    co_return co_await std::move(run);
  } catch (const std::exception& thrown) {
    if (response_.started()) cut_ = true;
    co_return absl::InternalError(thrown.what());
  } catch (...) {
    if (response_.started()) cut_ = true;
    co_return absl::InternalError("the handler has thrown");
  }
}

// --- The response.

absl::Status AnswerState::StartResponse(int status_code, const Headers& headers,
                                        std::optional<uint64_t> n_body) {
  if (response_.started())
    return absl::FailedPreconditionError("the response has begun already");
  if (status_code < 200 || status_code > 599) {
    return absl::InvalidArgumentError(
        absl::StrCat(status_code, " is not the status of a response"));
  }
  if (!headers.status().ok()) return headers.status();
  const bool is_head = head_->method == Method::kHead;
  std::optional<uint64_t> length = n_body;
  if (!length.has_value() || (is_head && n_body == uint64_t{0})) {
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
  const bool no_body = HasNoBody(status_code);
  response_length_ = no_body ? std::nullopt : length;
  sends_body_ = !no_body && !is_head;
  response_.OnStarted(status_code);
  OnResponseBegun();
  return absl::OkStatus();
}

absl::Status AnswerState::CountResponse(uint64_t n) {
  if (!response_.started() || answered_) {
    return absl::FailedPreconditionError(
        answered_ ? "the response has ended" : "the response was not started");
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

absl::Status AnswerState::EndResponse(const Headers& trailers) {
  if (!trailers.status().ok()) return trailers.status();
  if (absl::Status s = CountResponse(0); !s.ok()) return s;
  if (sends_body_ && response_length_.has_value() &&
      n_response_ < *response_length_) {
    return absl::FailedPreconditionError(
        absl::StrCat("the response has ", n_response_, " bytes, and not the ",
                     *response_length_, " of its Content-Length"));
  }
  answered_ = true;
  return absl::OkStatus();
}

absl::Status AnswerState::CheckInformational(int status_code,
                                             const Headers& headers) {
  if (response_.started())
    return absl::FailedPreconditionError("the response has begun already");
  if (status_code < 102 || status_code > 199)
    return absl::InvalidArgumentError("no informational status");
  return headers.status();
}

int AnswerState::StatusCodeFor(const absl::Status& handled) const {
  if (refusal_ != 0) return refusal_;
  if (timed_out_) return 503;
  return handled.ok() ? 500 : StatusCodeOf(handled);
}

void AnswerState::TellEnd(std::string_view method, const absl::Status& handled,
                          MonotonicTime now) {
  if (refusal_ != 0 || timed_out_)
    core_.metrics.OnRefusal(refusal_ != 0 ? refusal_ : 503);
  // The peer's name costs a system call.
  static const net::SocketAddress kNobody;
  core_.OnRequestEnd({options().on_request_end ? peer() : kNobody, method,
                      head_->target_text, response_.status_code(),
                      response_.body_bytes(), now - begun_at_, handled});
}

}  // namespace ringway::http::internal
