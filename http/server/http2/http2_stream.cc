// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/http2/http2_stream.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "nghttp2/nghttp2.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/http/message/status_code.h"
#include "ringway/net/writing/file_read.h"

namespace ringway::http::internal {

namespace {

constexpr size_t kFilePieceBytes = size_t{64} << 10;
// What a client has to take of a response within write_timeout, unless that is
// the rest.
constexpr size_t kLeastBytes = ServerSession::kKeptBytes;

absl::Status Gone() {
  return absl::UnavailableError("the client has reset the request");
}

}  // namespace

Http2Stream::Http2Stream(Http2State& connection)
    : ServerStream(connection.options().request),
      connection_(connection),
      request_(head(), *this),
      response_(*this),
      watch_(*this) {}

void Http2Stream::OnClosed() {
  if (!spawned_) return connection_.Forget(*this);
  body_arrived_.Set();
  sent_.Set();
  if (!response_sent() && task_ != nullptr) task_->RequestCancel();
}

Task<void> Http2Stream::Run() {
  task_ = &Executor::RunningTask("an HTTP/2 request");
  try {
    Task<void> answer = Answer();
    co_await std::move(answer);
  } catch (...) {
    // There is no memory: of all requests this one fails.
    session().Reset(*this, NGHTTP2_INTERNAL_ERROR);
  }
  session().Release(*this);
  if (session().has_output()) connection_.Wake();
  connection_.Forget(*this);
}

Task<void> Http2Stream::Answer() {
  begun_at_ = connection_.loop().now();
  continue_due_ = head().expects_continue;
  absl::Status handled = Refusal();
  if (closed()) {
    handled = Gone();  // before its turn came
  } else if (handled.ok()) {
    watch_.Begin(options().request_timeout);
    Task<absl::Status> run = RunHandler();
    handled = co_await std::move(run);
    watch_.End();
  }
  Task<void> end = EndAnswer(std::move(handled));
  co_await std::move(end);
}

absl::Status Http2Stream::Refusal() {
  if (const RequestError& refused = error(); refused.status_code != 0) {
    return Refuse(refused.status_code,
                  absl::InvalidArgumentError(refused.text));
  }
  if (head().content_length.value_or(0) > options().max_body_bytes) {
    return Refuse(413, absl::ResourceExhaustedError(
                           "the body is longer than max_body_bytes"));
  }
  return absl::OkStatus();
}

Task<absl::Status> Http2Stream::RunHandler() {
  try {
    Task<absl::Status> run = connection_.core().handler(request_, response_);
    co_return co_await std::move(run);
  } catch (const std::exception& thrown) {
    if (response_.started()) cut_ = true;
    co_return absl::InternalError(thrown.what());
  } catch (...) {
    if (response_.started()) cut_ = true;
    co_return absl::InternalError("the handler has thrown");
  }
}

Task<void> Http2Stream::EndAnswer(absl::Status handled) {
  // A handler that took too long was cancelled, and its task with it.
  std::optional<Shield> shield;
  if (timed_out_) shield.emplace();
  if (task_->cancelled() || (closed() && !response_sent())) cut_ = true;
  if (!cut_ && !response_.started()) {
    response_.headers().Clear();
    const int code = StatusCodeFor(handled);
    Task<absl::Status> send =
        Send(code, response_.headers(), ReasonPhrase(code));
    (co_await std::move(send)).IgnoreError();
  } else if (!cut_ && !response_ended_) {
    if (handled.ok()) {
      Task<absl::Status> finish = Finish(response_.trailers());
      handled = co_await std::move(finish);
    }
    if (!handled.ok()) cut_ = true;  // so that the client knows
  }
  if (!cut_) {
    Task<absl::Status> wait = WaitSent(/*end=*/true);
    if (const absl::Status sent = co_await std::move(wait);
        !sent.ok() && handled.ok()) {
      handled = sent;
    }
  }
  if (cut_) {
    session().Reset(*this, NGHTTP2_INTERNAL_ERROR);
  } else if (!body_ended()) {
    // Of a request that has its response the rest is not wanted (RFC 9113,
    // section 8.1).
    session().Reset(*this, NGHTTP2_NO_ERROR);
  }
  Log(handled);
}

absl::Status Http2Stream::Refuse(int status_code, absl::Status status) {
  if (refusal_ == 0) refusal_ = status_code;
  return status;
}

int Http2Stream::StatusCodeFor(const absl::Status& handled) const {
  if (refusal_ != 0) return refusal_;
  if (timed_out_) return 503;
  return handled.ok() ? 500 : StatusCodeOf(handled);
}

void Http2Stream::Log(const absl::Status& handled) {
  const ServerCore& core = connection_.core();
  if (refusal_ != 0 || timed_out_)
    core.metrics.OnRefusal(refusal_ != 0 ? refusal_ : 503);
  if (closed() && !response_sent()) core.metrics.OnClientGone();
  // The peer's name costs a system call.
  static const net::SocketAddress kNobody;
  core.OnRequestEnd({options().on_request_end ? peer() : kNobody, method_text(),
                     head().target_text, response_.status_code(),
                     response_.body_bytes(),
                     connection_.loop().now() - begun_at_, handled});
}

// --- The request.

Task<absl::StatusOr<size_t>> Http2Stream::ReadBody(std::span<std::byte> to) {
  if (to.empty()) co_return 0;
  if (continue_due_) {
    continue_due_ = false;
    if (!response_.started() && unread_bytes() == 0 && !body_ended()) {
      session().Inform(*this, 100, Headers());
      connection_.Wake();
    }
  }
  while (unread_bytes() == 0) {
    if (body_ended()) {
      // The trailers may have been too long.
      const RequestError& refused = error();
      if (refused.status_code == 0) co_return 0;
      co_return Refuse(refused.status_code,
                       absl::InvalidArgumentError(refused.text));
    }
    if (closed()) co_return Gone();
    body_arrived_.Reset();
    absl::Status arrived =
        co_await WithTimeout(options().body_timeout, body_arrived_.Wait());
    if (absl::IsDeadlineExceeded(arrived)) co_return Refuse(408, arrived);
    if (!arrived.ok()) co_return arrived;
  }
  const size_t n = session().ReadBody(*this, to);
  if (session().has_output()) connection_.Wake();
  if (absl::Status over = OnBodyRead(n); !over.ok()) co_return over;
  co_return n;
}

absl::Status Http2Stream::OnBodyRead(size_t n) {
  n_body_ += n;
  if (n_body_ <= options().max_body_bytes) return absl::OkStatus();
  return Refuse(413, absl::ResourceExhaustedError(
                         absl::StrCat("the body has more than max_body_bytes, ",
                                      options().max_body_bytes)));
}

// --- The response.

absl::Status Http2Stream::BeginResponse(int status_code, const Headers& headers,
                                        std::optional<uint64_t> n_body,
                                        bool default_type) {
  if (response_.started())
    return absl::FailedPreconditionError("the response has begun already");
  if (status_code < 200 || status_code > 599) {
    return absl::InvalidArgumentError(
        absl::StrCat(status_code, " is not the status of a response"));
  }
  if (!headers.status().ok()) return headers.status();
  if (closed()) return Gone();
  const bool is_head = head().method == Method::kHead;
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

  AddedFields added;
  added.server = options().server_name;
  if (options().send_date) added.date = connection_.date().Text();
  added.content_length = response_length_;
  added.default_type = default_type;
  session().Respond(*this, status_code, headers, added,
                    sends_body_ && n_body != uint64_t{0});
  connection_.Wake();
  return absl::OkStatus();
}

absl::Status Http2Stream::OnResponseBody(uint64_t n) {
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

Task<absl::Status> Http2Stream::Give(std::span<const std::byte> bytes,
                                     bool last) {
  const bool kept = session().Give(*this, bytes);
  if (last) session().End(*this, Headers());
  connection_.Wake();
  if (kept && !closed()) co_return absl::OkStatus();
  Task<absl::Status> wait = WaitSent(/*end=*/false);
  co_return co_await std::move(wait);
}

Task<absl::Status> Http2Stream::WaitSent(bool end) {
  while (!closed() && (end ? !response_sent() : unsent_bytes() > 0)) {
    const size_t n_before = unsent_bytes();
    sent_.Reset();
    absl::Status sent =
        co_await WithTimeout(options().write_timeout, sent_.Wait());
    if (sent.ok() || (absl::IsDeadlineExceeded(sent) &&
                      n_before - unsent_bytes() >= kLeastBytes)) {
      continue;
    }
    session().TakeBack(*this);
    cut_ = true;
    co_return sent;
  }
  if (!closed() || response_sent()) co_return absl::OkStatus();
  cut_ = true;
  co_return Gone();
}

Task<absl::Status> Http2Stream::Send(int status_code, const Headers& headers,
                                     std::string_view body) {
  if (absl::Status s = BeginResponse(status_code, headers, body.size(),
                                     /*default_type=*/!body.empty());
      !s.ok()) {
    co_return s;
  }
  response_ended_ = true;
  if (!sends_body_ || body.empty()) co_return absl::OkStatus();
  response_.OnBody(body.size());
  Task<absl::Status> give = Give(std::as_bytes(std::span(body)), /*last=*/true);
  co_return co_await std::move(give);
}

Task<absl::Status> Http2Stream::SendFile(int status_code,
                                         const Headers& headers, int file,
                                         int64_t offset, uint64_t n_bytes) {
  if (absl::Status s = BeginResponse(status_code, headers, n_bytes,
                                     /*default_type=*/false);
      !s.ok()) {
    co_return s;
  }
  response_ended_ = true;
  if (!sends_body_) co_return absl::OkStatus();
  std::vector<std::byte> piece(std::min<uint64_t>(n_bytes, kFilePieceBytes));
  while (n_bytes > 0) {
    const std::span<std::byte> to =
        std::span(piece).first(std::min<uint64_t>(n_bytes, piece.size()));
    net::internal::FileReadOp read(file, to, offset);
    absl::StatusOr<size_t> n = co_await read;
    if (n.ok() && *n == 0) n = absl::OutOfRangeError("the file ends before");
    if (!n.ok()) {
      cut_ = true;  // so that the client knows
      co_return n.status();
    }
    n_bytes -= *n;
    offset += static_cast<int64_t>(*n);
    response_.OnBody(*n);
    Task<absl::Status> give = Give(to.first(*n), /*last=*/n_bytes == 0);
    absl::Status given = co_await std::move(give);
    if (!given.ok()) co_return given;
  }
  co_return absl::OkStatus();
}

Task<absl::Status> Http2Stream::Start(int status_code, const Headers& headers) {
  co_return BeginResponse(status_code, headers, std::nullopt,
                          /*default_type=*/false);
}

Task<absl::Status> Http2Stream::Write(std::span<const std::byte> bytes) {
  if (absl::Status s = OnResponseBody(bytes.size()); !s.ok()) co_return s;
  if (!sends_body_ || bytes.empty()) co_return absl::OkStatus();
  Task<absl::Status> give = Give(bytes, /*last=*/false);
  co_return co_await std::move(give);
}

Task<absl::Status> Http2Stream::Finish(const Headers& trailers) {
  if (!trailers.status().ok()) co_return trailers.status();
  if (absl::Status s = OnResponseBody(0); !s.ok()) co_return s;
  if (sends_body_ && response_length_.has_value() &&
      n_response_ < *response_length_) {
    co_return absl::FailedPreconditionError(
        absl::StrCat("the response has ", n_response_, " bytes, and not the ",
                     *response_length_, " of its Content-Length"));
  }
  response_ended_ = true;
  session().End(*this, trailers);
  connection_.Wake();
  co_return absl::OkStatus();
}

Task<absl::Status> Http2Stream::SendInformational(int status_code,
                                                  const Headers& headers) {
  if (response_.started())
    co_return absl::FailedPreconditionError("the response has begun already");
  if (status_code < 102 || status_code > 199)
    co_return absl::InvalidArgumentError("no informational status");
  if (!headers.status().ok()) co_return headers.status();
  if (closed()) co_return Gone();
  session().Inform(*this, status_code, headers);
  connection_.Wake();
  co_return absl::OkStatus();
}

}  // namespace ringway::http::internal
