// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/http1_client_state.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"

namespace ringway::http::internal {

namespace {

constexpr int kContinue = 100;
constexpr int kSwitchingProtocols = 101;
constexpr int kFirstFinal = 200;

}  // namespace

// --- The request.

absl::Status Http1ClientState::BeginRequest(const OutgoingRequest& request,
                                            size_t n_body) {
  if (!reusable()) {
    return absl::FailedPreconditionError(
        "an HTTP connection that takes no request");
  }
  if (request.framing == Framing::kLength ? n_body > request.content_length
                                          : n_body > 0) {
    return absl::FailedPreconditionError("a request's body has no such length");
  }
  out_.clear();
  if (out_.capacity() > kKeptBytes) std::string().swap(out_);
  if (absl::Status s = AppendRequestHead(request, out_); !s.ok()) return s;
  method_ = request.method;
  parser_.Reset(method_, kKeptBytes);
  keep_ = !request.close && request.upgrade.empty();
  asked_upgrade_ = !request.upgrade.empty();
  request_framing_ = request.framing;
  request_left_ =
      request.framing == Framing::kLength ? request.content_length : 0;
  request_done_ = response_done_ = response_begun_ = false;
  n_informational_ = 0;
  consent_state_ = Consent::kNotNeeded;
  if (request.expects_continue) {
    consent_state_ = Consent::kAwaited;
    consent_.Reset();
  }
  return CountBody(n_body);
}

absl::Status Http1ClientState::CountBody(size_t n) {
  if (request_framing_ == Framing::kChunked) return absl::OkStatus();
  if (n > request_left_) {
    return Fail(absl::FailedPreconditionError(
        "a request's body has more than its Content-Length"));
  }
  request_left_ -= n;
  return absl::OkStatus();
}

absl::Status Http1ClientState::CheckEnd(const Headers& trailers) {
  if (!trailers.status().ok()) return Fail(trailers.status());
  if (request_left_ == 0) return absl::OkStatus();
  return Fail(absl::FailedPreconditionError(
      "a request's body has less than its Content-Length"));
}

absl::Status Http1ClientState::Written(absl::Status written) {
  if (written.ok()) return written;
  if (absl::IsDeadlineExceeded(written))
    return Fail(Late("write_timeout", write_limit_));
  if (absl::IsCancelled(written)) return Fail(std::move(written));
  // The server may have answered before it has closed.
  keep_ = false;
  write_failed_ = written;
  OnRequestDone();
  return written;
}

void Http1ClientState::OnRequestDone() {
  request_done_ = true;
  sent_at_ = CurrentLoop().now();
}

void Http1ClientState::BeginUpload() {
  uploading_ = true;
  interrupt_.emplace();
}

void Http1ClientState::EndUpload(absl::Status status) {
  uploading_ = false;
  if (!status.ok() && write_failed_.ok()) upload_failed_ = std::move(status);
  if (!request_done_ && upload_failed_.ok()) keep_ = false;
  sent_at_ = CurrentLoop().now();
  interrupt_->Cancel();
}

Task<absl::StatusOr<bool>> Http1ClientState::WaitToContinue() {
  if (consent_state_ == Consent::kAwaited) {
    const MonotonicTime limit = Limit(options_.continue_timeout);
    const absl::Status waited = co_await WithDeadline(limit, consent_.Wait());
    if (absl::IsCancelled(waited)) co_return waited;
    if (absl::IsDeadlineExceeded(waited) && limit == deadline_)
      co_return Late("request_timeout", limit);
  }
  co_return consent_state_ != Consent::kRefused;
}

// --- The response.

absl::StatusOr<bool> Http1ClientState::OnHead() {
  const ReceivedResponse& head = parser_.head();
  if (head.status_code >= kFirstFinal) {
    if (consent_state_ == Consent::kAwaited) {
      consent_state_ = Consent::kRefused;
      consent_.Set();
    }
    keep_ = keep_ && head.keep_alive;
    body_left_ = head.content_length.value_or(0);
    if (head.framing == Framing::kNone ||
        (head.framing == Framing::kLength && body_left_ == 0)) {
      OnResponseDone();
    }
    return true;
  }
  if (head.status_code == kSwitchingProtocols) {
    if (!asked_upgrade_) {
      return Fail(absl::DataLossError(
          "the response is malformed: a 101 that was not asked for"));
    }
    OnResponseDone();
    return true;
  }
  if (++n_informational_ > options_.response.informational_count) {
    return Fail(absl::ResourceExhaustedError(
        "the response has more than ResponseLimits::informational_count"));
  }
  if (head.status_code == kContinue && consent_state_ == Consent::kAwaited) {
    consent_state_ = Consent::kGiven;
    consent_.Set();
  }
  parser_.Reset(method_, kKeptBytes);
  return false;
}

void Http1ClientState::OnResponseDone() {
  response_done_ = true;
  if (!request_done_ || uploading_) keep_ = false;
}

absl::Status Http1ClientState::OnEnd() {
  cut_ = true;
  if (!response_begun_) {
    return write_failed_.ok()
               ? absl::UnavailableError(
                     "the server has closed the connection before the response")
               : write_failed_;
  }
  return absl::OutOfRangeError(
      "the server has ended the connection within the response");
}

absl::Status Http1ClientState::OnReadFailed(absl::Status failed,
                                            std::string_view option) {
  if (absl::IsDeadlineExceeded(failed)) return Fail(Late(option, read_limit_));
  return Fail(std::move(failed));
}

absl::Status Http1ClientState::OnInterrupted() {
  if (!upload_failed_.ok()) return Fail(upload_failed_);
  return absl::OkStatus();
}

// --- Time.

MonotonicTime Http1ClientState::Limit(absl::Duration patience) const {
  return std::min(deadline_, CurrentLoop().now() + patience);
}

MonotonicTime Http1ClientState::HeadLimit() {
  read_limit_ = deadline_;
  if (request_done_)
    read_limit_ = std::min(deadline_, sent_at_ + options_.head_timeout);
  return read_limit_;
}

absl::Status Http1ClientState::Late(std::string_view option,
                                    MonotonicTime limit) const {
  if (limit == deadline_) option = "request_timeout";
  return absl::DeadlineExceededError(
      absl::StrCat("the server has exceeded ClientOptions::", option));
}

}  // namespace ringway::http::internal
