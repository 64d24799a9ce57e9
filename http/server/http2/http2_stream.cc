// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/server/http2/http2_stream.h"

#include <algorithm>
#include <utility>
#include <vector>

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
      AnswerState(connection.core()),
      connection_(connection),
      memory_(connection.memory().Take()),
      request_(head(), *this),
      watch_(*this) {
  memory_->Swap(head(), response_.headers());
}

void Http2Stream::ReturnMemory() {
  head().headers.Clear();
  head().target_text.clear();
  response_.headers().Clear();
  memory_->Swap(head(), response_.headers());
  connection_.memory().Put(std::move(memory_));
}

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
  BeginAnswer(head(), connection_.loop().now());
  continue_due_ = head().expects_continue;
  absl::Status handled = Refusal();
  if (closed()) {
    handled = Gone();  // before its turn came
  } else if (handled.ok()) {
    watch_.Begin(options().request_timeout);
    Task<absl::Status> run = RunHandler(request_);
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
  return CheckLength();
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
  } else if (!cut_ && !answered_) {
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

void Http2Stream::Log(const absl::Status& handled) {
  if (closed() && !response_sent()) core_.metrics.OnClientGone();
  TellEnd(method_text(), handled, connection_.loop().now());
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
  if (absl::Status over = CountBody(n); !over.ok()) co_return over;
  co_return n;
}

// --- The response.

absl::Status Http2Stream::BeginResponse(int status_code, const Headers& headers,
                                        std::optional<uint64_t> n_body,
                                        bool default_type) {
  if (closed()) return Gone();
  if (absl::Status s = StartResponse(status_code, headers, n_body); !s.ok())
    return s;
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
  answered_ = true;
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
  answered_ = true;
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
  if (absl::Status s = CountResponse(bytes.size()); !s.ok()) co_return s;
  if (!sends_body_ || bytes.empty()) co_return absl::OkStatus();
  Task<absl::Status> give = Give(bytes, /*last=*/false);
  co_return co_await std::move(give);
}

Task<absl::Status> Http2Stream::Finish(const Headers& trailers) {
  if (absl::Status s = EndResponse(trailers); !s.ok()) co_return s;
  session().End(*this, trailers);
  connection_.Wake();
  co_return absl::OkStatus();
}

Task<absl::Status> Http2Stream::SendInformational(int status_code,
                                                  const Headers& headers) {
  if (absl::Status s = CheckInformational(status_code, headers); !s.ok())
    co_return s;
  if (closed()) co_return Gone();
  session().Inform(*this, status_code, headers);
  connection_.Wake();
  co_return absl::OkStatus();
}

Task<absl::StatusOr<Tunnel*>> Http2Stream::Upgrade(
    std::string_view /*protocol*/, const Headers& /*headers*/) {
  co_return absl::UnimplementedError("HTTP/2 has no Upgrade");
}

}  // namespace ringway::http::internal
