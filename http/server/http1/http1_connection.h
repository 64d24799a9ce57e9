// SPDX-License-Identifier: Apache-2.0
//
// Http1Connection: serves the requests of one connection, one after the other,
// by HTTP/1.0 and 1.1.
//
// One task reads a head, runs the handler, sends its response, and so on. Only
// for a handler that takes long is there another: it waits for the end of the
// client, which cancels the handler.

#ifndef RINGWAY_HTTP_SERVER_HTTP1_HTTP1_CONNECTION_H_
#define RINGWAY_HTTP_SERVER_HTTP1_HTTP1_CONNECTION_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/http1/response_head.h"
#include "ringway/http/http2/client_preface.h"
#include "ringway/http/message/status_code.h"
#include "ringway/http/server/handler_watch.h"
#include "ringway/http/server/http1/client_watch.h"
#include "ringway/http/server/http1/http1_tunnel.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/runtime/serving/server.h"

namespace ringway::http::internal {

template <net::ByteStream S>
class Http1Connection final : private Http1Tunnel<S>, private HandlerWatch {
 public:
  Http1Connection(std::shared_ptr<const ServerCore> core, S stream)
      : Http1Tunnel<S>(std::move(core), std::move(stream)),
        HandlerWatch(CurrentExecutor().loop()),
        loop_(CurrentExecutor().loop()),
        task_(Executor::RunningTask("an HTTP connection")) {}

  // Called once, by the task that made it.
  //
  // Result: OK when either side has ended it between requests; else why it
  //         ended.
  Task<absl::Status> Serve();

  using Http1Tunnel<S>::is_http2;
  using Http1Tunnel<S>::TakeUpgrade;
  S TakeStream() { return std::move(stream_); }
  auto TakeReader() { return std::move(in_); }

 private:
  using Base = Http1Tunnel<S>;
  using Base::cut_;
  using Base::drain_;
  using Base::in_;
  using Base::keep_;
  using Base::options;
  using Base::parser_;
  using Base::response_;
  using Base::stream_;
  using Base::timed_out_;

  enum class Arrival : uint8_t { kRequest, kEnd, kRefused, kFailed, kHttp2 };

  void OnResponseBegun() override {
    HandlerWatch::Limit(options().response_timeout);
  }

  // --- HandlerWatch.
  bool OnPatience() override {
    // Until the body has ended, the handler may read.
    return this->body_done_ && client_watch_.Begin(task_);
  }
  void OnTimeout() override {
    timed_out_ = true;
    task_.RequestCancel();
  }

  Task<void> LeaveHttp() override {
    HandlerWatch::End();
    return client_watch_.End();
  }

  Task<Arrival> ReadHead();
  Task<void> Answer();
  // Whether all of the response was sent, so that nothing is left to wait for.
  bool IsAnswered() const {
    return this->answered_ && !cut_ && !timed_out_ && !task_.cancelled() &&
           !client_watch_.client_gone() && (this->body_done_ || !keep_);
  }
  // Sends what the handler has left out. Ends with Conclude().
  Task<void> EndAnswer(absl::Status handled);
  void Conclude(absl::Status handled);
  // Whether nothing can come that closing at once would answer with a reset,
  // which may destroy the response: the client has announced the end, and all
  // that it had to send was read. (TLS has an end of its own to send.)
  bool IsOver() const {
    return !this->client_keeps_ && this->body_done_ && this->refusal_ == 0 &&
           in_.buffered_bytes() == 0 && !this->is_secure();
  }
  Task<absl::Status> End();

  Loop& loop_;
  TaskContext& task_;
  ClientWatch<typename Base::Reader> client_watch_{
      in_, Base::kReadBytes / 2, options().client_end_cancels};
  absl::Status ended_;  // why, unless it is as agreed
};

template <net::ByteStream S>
Task<absl::Status> Http1Connection<S>::Serve() {
  while (true) {
    Task<Arrival> read = ReadHead();
    const Arrival arrival = co_await std::move(read);
    if (arrival == Arrival::kEnd || arrival == Arrival::kFailed) break;
    if (arrival == Arrival::kHttp2) {
      this->is_http2_ = true;
      co_return absl::OkStatus();
    }
    if (!drain_.has_source()) drain_ = DrainToken();
    this->BeginRequest(loop_.now());
    if (arrival == Arrival::kRefused) {
      const RequestError& error = parser_.error();
      Task<void> end = EndAnswer(this->Refuse(
          error.status_code, absl::InvalidArgumentError(error.text)));
      co_await std::move(end);
      break;
    }
    if (options().h2c_upgrade && !this->is_secure()) {
      Task<bool> begin = this->BeginHttp2();
      if (co_await std::move(begin)) co_return absl::OkStatus();
    }
    Task<void> answer = Answer();
    co_await std::move(answer);
    if (!keep_ || cut_) break;
  }
  Task<absl::Status> end = End();
  co_return co_await std::move(end);
}

template <net::ByteStream S>
auto Http1Connection<S>::ReadHead() -> Task<Arrival> {
  this->Forget();
  if (in_.buffered_bytes() == 0) this->ReturnMemory();
  bool draining = drain_.cancelled();
  const bool first = this->n_requests_ == 0;
  MonotonicTime limit = loop_.now() + (first      ? options().head_timeout
                                       : draining ? options().drain_idle_time
                                                  : options().idle_timeout);
  bool begun = false;
  bool may_be_http2 = first;
  const CancelToken never;
  while (true) {
    size_t n_wanted = 1;
    const std::string_view bytes = this->Arrived();
    may_be_http2 = may_be_http2 && BeginsAsPreface(bytes);
    if (may_be_http2) {
      if (bytes.size() >= kClientPreface.size()) co_return Arrival::kHttp2;
      n_wanted = bytes.size() + 1;
    } else if (!bytes.empty()) {
      this->BorrowMemory();
      size_t n_used = 0;
      const ParseStep step = parser_.ParseHead(bytes, n_used);
      in_.Consume(n_used);
      if (step == ParseStep::kDone) co_return Arrival::kRequest;
      if (step == ParseStep::kFailed) co_return Arrival::kRefused;
      if (!begun && parser_.begun()) {
        begun = true;
        if (!first) limit = loop_.now() + options().head_timeout;
      }
      continue;
    }
    // One await, as the frame has room for each.
    const CancelToken& until = begun || first || draining ? never : drain_;
    const absl::StatusOr<std::span<const std::byte>> arrived =
        co_await WithToken(until, WithDeadline(limit, in_.Fill(n_wanted)));
    if (arrived.ok() && arrived->size() >= n_wanted) continue;
    if (n_wanted > 1 &&
        (arrived.ok() || absl::IsDeadlineExceeded(arrived.status()))) {
      may_be_http2 = false;  // a part of the preface is a malformed request
      continue;
    }
    if (arrived.ok()) {
      this->at_end_ = true;
      if (!begun) co_return Arrival::kEnd;
      ended_ = absl::OutOfRangeError("the client has ended within a head");
      cut_ = true;
      co_return Arrival::kFailed;
    }
    if (!draining && drain_.cancelled() && !begun &&
        !absl::IsDeadlineExceeded(arrived.status()) && !task_.cancelled()) {
      draining = true;
      limit = std::min(limit, loop_.now() + options().drain_idle_time);
      continue;
    }
    if (absl::IsDeadlineExceeded(arrived.status())) {
      if (!begun) co_return Arrival::kEnd;
      this->BeginRequest(loop_.now());
      Task<void> end = EndAnswer(this->Refuse(408, arrived.status()));
      co_await std::move(end);
      co_return Arrival::kFailed;
    }
    ended_ = arrived.status();
    cut_ = true;
    co_return Arrival::kFailed;
  }
}

template <net::ByteStream S>
Task<void> Http1Connection<S>::Answer() {
  absl::Status handled = this->CheckLength();
  if (handled.ok() && parser_.head().method == Method::kConnect)
    handled = this->Refuse(501, absl::UnimplementedError("CONNECT"));
  if (handled.ok()) {
    HandlerWatch::Begin(options().request_timeout);
    Task<absl::Status> run = this->RunHandler(this->request_);
    handled = co_await std::move(run);
    HandlerWatch::End();
    if (client_watch_.begun()) {
      Task<void> end = client_watch_.End();
      co_await std::move(end);
    }
  }
  if (IsAnswered()) {  // as nearly all are, which then need no frame
    Conclude(std::move(handled));
    co_return;
  }
  Task<void> end = EndAnswer(std::move(handled));
  co_await std::move(end);
}

template <net::ByteStream S>
Task<void> Http1Connection<S>::EndAnswer(absl::Status handled) {
  // A handler that took too long was cancelled, and its task with it.
  std::optional<Shield> shield;
  if (timed_out_) shield.emplace();
  if (!shield.has_value() && task_.cancelled()) cut_ = true;
  if (client_watch_.client_gone()) {
    cut_ = true;
    this->core_.metrics.OnClientGone();
  }
  if (!cut_ && response_.started() && !this->answered_) {
    if (handled.ok()) {
      Task<absl::Status> finish = this->Finish(response_.trailers());
      handled = co_await std::move(finish);
    }
    if (!handled.ok()) cut_ = true;  // so that the client knows
  } else if (!cut_ && !response_.started()) {
    const int code = this->StatusCodeFor(handled);
    response_.headers().Clear();
    const std::string_view phrase = ReasonPhrase(code);
    Task<absl::Status> send = this->Send(code, response_.headers(), phrase);
    [[maybe_unused]] const absl::Status sent = co_await std::move(send);
  }
  if (keep_ && !cut_ && !this->body_done_) {
    Task<absl::Status> skip = this->SkipBody();
    const absl::Status skipped = co_await std::move(skip);
    if (!skipped.ok()) keep_ = false;
  }
  Conclude(std::move(handled));
}

template <net::ByteStream S>
void Http1Connection<S>::Conclude(absl::Status handled) {
  this->Log(handled, loop_.now());
  if (this->refusal_ != 0) keep_ = false;
  if (this->refusal_ != 0 || cut_) ended_ = std::move(handled);
}

template <net::ByteStream S>
Task<absl::Status> Http1Connection<S>::End() {
  this->Forget();
  this->ReturnMemory();
  if (cut_) {
    stream_.Reset();
    co_return ended_;
  }
  // How that ends is nobody's business: all responses have left.
  absl::Status closed;
  if (this->at_end_ || IsOver()) {
    closed = co_await stream_.Close();
  } else {
    closed = co_await stream_.CloseGracefully(options().goodbye_timeout);
  }
  closed.IgnoreError();
  co_return ended_;
}

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_HTTP1_HTTP1_CONNECTION_H_
