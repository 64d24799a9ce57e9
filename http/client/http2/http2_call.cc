// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/http2/http2_call.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"

namespace ringway::http::internal {

namespace {

// What a server has to take of a request within write_timeout, unless that is
// the rest.
constexpr size_t kLeastBytes = UnsentBytes::kKeptBytes;

}  // namespace

Http2Call::Http2Call(std::shared_ptr<Http2ClientState> connection)
    : ClientStream(connection->options().response),
      connection_(std::move(connection)) {}

Http2Call::~Http2Call() { Cut(); }

void Http2Call::Cut() {
  if (cut_) return;
  cut_ = true;
  if (!begun_) return;
  session().TakeBack(*this);
  if (!connection_->ended() && !closed()) session().Reset(*this);
  session().Release(*this);
  connection_->Remove(*this);
  if (!connection_->ended()) connection_->Wake();
}

// --- The request.

absl::Status Http2Call::Send(const OutgoingRequest& request,
                             std::string_view body) {
  if (absl::Status good = CheckRequest(request); !good.ok()) return good;
  if (!request.upgrade.empty())
    return absl::UnimplementedError("HTTP/2 has no Upgrade");
  chunked_ = request.framing == Framing::kChunked;
  request_left_ =
      request.framing == Framing::kLength ? request.content_length : 0;
  const bool has_body = chunked_ || request_left_ > 0;
  if (connection_->ended() || !connection_->accepts() ||
      !session().Request(*this, request, has_body)) {
    not_begun_ = true;
    return absl::UnavailableError("the connection takes no more requests");
  }
  begun_ = true;
  connection_->Add(*this);
  opened_at_ = CurrentLoop().now();
  if (absl::Status s = CountBody(body.size()); !s.ok()) return s;
  if (!body.empty()) session().Give(*this, std::as_bytes(std::span(body)));
  if (has_body && !chunked_ && request_left_ == 0)
    session().End(*this, Headers());
  connection_->Wake();
  return absl::OkStatus();
}

absl::Status Http2Call::CountBody(size_t n) {
  if (chunked_) return absl::OkStatus();
  if (n > request_left_) {
    return Fail(absl::FailedPreconditionError(
        "a request's body has more than its Content-Length"));
  }
  request_left_ -= n;
  return absl::OkStatus();
}

Task<absl::Status> Http2Call::WriteBody(std::span<const std::byte> bytes) {
  if (absl::Status s = CountBody(bytes.size()); !s.ok()) co_return s;
  if (cut_ || closed() || connection_->ended() || !failed_.ok())
    co_return WhyClosed();
  if (bytes.empty()) co_return absl::OkStatus();
  const bool copied = session().Give(*this, bytes);
  connection_->Wake();
  if (copied) co_return absl::OkStatus();
  Task<absl::Status> wait = WaitSent(/*end=*/false);
  co_return co_await std::move(wait);
}

Task<absl::Status> Http2Call::EndBody(const Headers& trailers) {
  if (!trailers.status().ok()) co_return Fail(trailers.status());
  if (request_left_ > 0) {
    co_return Fail(absl::FailedPreconditionError(
        "a request's body has less than its Content-Length"));
  }
  if (request_sent()) co_return absl::OkStatus();  // there was none
  if (cut_ || closed() || connection_->ended() || !failed_.ok())
    co_return WhyClosed();
  session().End(*this, trailers);
  connection_->Wake();
  Task<absl::Status> wait = WaitSent(/*end=*/true);
  co_return co_await std::move(wait);
}

Task<absl::Status> Http2Call::WaitSent(bool end) {
  while (!cut_ && !closed() && !connection_->ended() && failed_.ok() &&
         (end ? !request_sent() : unsent_bytes() > 0)) {
    const size_t n_before = unsent_bytes();
    // Before that, it waits for its turn, which has a limit of its own.
    const MonotonicTime limit =
        opened() ? CurrentLoop().now() + connection_->options().write_timeout
                 : MonotonicTime::Infinite();
    sent_.Reset();
    absl::Status waited =
        co_await WithDeadline(std::min(limit, deadline_), sent_.Wait());
    if (waited.ok() || (absl::IsDeadlineExceeded(waited) &&
                        n_before - unsent_bytes() >= kLeastBytes)) {
      continue;
    }
    if (absl::IsDeadlineExceeded(waited)) waited = Late("write_timeout");
    session().TakeBack(*this);
    co_return Fail(std::move(waited));
  }
  const bool sent =
      end ? request_sent()
          : !closed() && !cut_ && failed_.ok() && !connection_->ended();
  co_return sent ? absl::OkStatus() : WhyClosed();
}

void Http2Call::EndUpload(absl::Status status) {
  uploading_ = false;
  // One that the server has ended tells its own reason.
  if (!status.ok() && !closed()) upload_failed_ = std::move(status);
  changed_.Set();
}

Task<absl::StatusOr<bool>> Http2Call::WaitToContinue() {
  while (!continued() && !head_done() && !closed()) {
    const MonotonicTime limit =
        opened() ? opened_at_ + connection_->options().continue_timeout
                 : MonotonicTime::Infinite();
    changed_.Reset();
    const absl::Status waited =
        co_await WithDeadline(std::min(limit, deadline_), changed_.Wait());
    if (absl::IsDeadlineExceeded(waited)) {
      if (CurrentLoop().now() >= deadline_) co_return Late("request_timeout");
      break;
    }
    if (!waited.ok()) co_return waited;
  }
  co_return !head_done() && !closed();
}

// --- The response.

Task<absl::Status> Http2Call::WaitForChange(MonotonicTime limit,
                                            std::string_view option,
                                            bool or_progress) {
  if (!failed_.ok() || closed() || !error().ok()) co_return WhyClosed();
  if (!upload_failed_.ok()) co_return Fail(upload_failed_);
  if (connection_->ended()) {
    co_return absl::FailedPreconditionError(
        "the connection of the response has ended");
  }
  const MonotonicTime since = CurrentLoop().now();
  const size_t n_before = unsent_bytes();
  changed_.Reset();
  const absl::Status waited =
      co_await WithDeadline(std::min(limit, deadline_), changed_.Wait());
  if (!absl::IsDeadlineExceeded(waited)) co_return waited;
  if (or_progress && n_before - unsent_bytes() >= kLeastBytes &&
      CurrentLoop().now() < deadline_) {
    co_return absl::OkStatus();
  }
  connection_->OnSilence(since);
  co_return Fail(Late(option));
}

Task<absl::Status> Http2Call::ReadHead() {
  const MonotonicTime begun_at = CurrentLoop().now();
  const ClientOptions& options = connection_->options();
  while (!head_done()) {
    MonotonicTime limit = MonotonicTime::Infinite();
    std::string_view option = "place_timeout";
    if (!opened()) {
      limit = begun_at + options.place_timeout;
    } else if (request_sent()) {
      limit = sent_at_ + options.head_timeout;
      option = "head_timeout";
    } else if (!uploading()) {  // whose task would see to it
      limit = CurrentLoop().now() + options.write_timeout;
      option = "write_timeout";
    }
    Task<absl::Status> wait = WaitForChange(
        limit, option, /*or_progress=*/opened() && !request_sent());
    absl::Status waited = co_await std::move(wait);
    if (!waited.ok()) co_return waited;
  }
  co_return error();
}

Task<absl::StatusOr<size_t>> Http2Call::ReadBody(std::span<std::byte> to) {
  if (to.empty()) co_return 0;
  while (unread_bytes() == 0) {
    if (body_ended()) co_return 0;
    Task<absl::Status> wait =
        WaitForChange(CurrentLoop().now() + connection_->options().body_timeout,
                      "body_timeout", /*or_progress=*/false);
    const absl::Status waited = co_await std::move(wait);
    if (!waited.ok()) co_return waited;
  }
  const size_t n = session().ReadBody(*this, to);
  if (!connection_->ended() && session().has_output()) connection_->Wake();
  co_return n;
}

// --- ClientStream.

void Http2Call::OnChange() {
  if (opened() && !was_opened_) {
    was_opened_ = true;
    opened_at_ = CurrentLoop().now();
    sent_.Set();
  }
  changed_.Set();
}

void Http2Call::OnSent() {
  if (request_sent()) {
    sent_at_ = CurrentLoop().now();
    changed_.Set();
  }
  sent_.Set();
}

void Http2Call::OnClosed() {
  changed_.Set();
  sent_.Set();
}

// --- The end.

absl::Status Http2Call::WhyClosed() const {
  if (!failed_.ok()) return failed_;
  if (!error().ok()) return error();
  return absl::CancelledError("the request has ended before its body");
}

absl::Status Http2Call::Fail(absl::Status why) {
  if (failed_.ok()) failed_ = why;
  if (begun_ && !connection_->ended()) {
    session().Reset(*this);
    connection_->Wake();
  }
  return why;
}

absl::Status Http2Call::Late(std::string_view option) const {
  if (CurrentLoop().now() >= deadline_) option = "request_timeout";
  return absl::DeadlineExceededError(
      absl::StrCat("the server has exceeded ClientOptions::", option));
}

}  // namespace ringway::http::internal
