// SPDX-License-Identifier: Apache-2.0
//
// Http1Connection: serves the requests of one connection, one after the other,
// by HTTP/1.0 and 1.1.
//
// One task reads a head, runs the handler, sends its response, and so on. Only
// for a handler that takes long is there another: it waits for the end of the
// client, which cancels the handler.

#ifndef RINGWAY_HTTP_SERVER_HTTP1_CONNECTION_H_
#define RINGWAY_HTTP_SERVER_HTTP1_CONNECTION_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/shield.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/http1/response_head.h"
#include "ringway/http/message/status_code.h"
#include "ringway/http/server/handler_watch.h"
#include "ringway/http/server/http1_state.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/runtime/serving/server.h"

namespace ringway::http::internal {

template <net::ByteStream S>
class Http1Connection final : private Http1State, private HandlerWatch {
 public:
  Http1Connection(std::shared_ptr<const ServerCore> core, S stream)
      : Http1State(std::move(core),
                   CurrentExecutor().locals().Get<DateCache>()),
        HandlerWatch(CurrentExecutor().loop()),
        loop_(CurrentExecutor().loop()),
        stream_(std::move(stream)),
        in_(stream_.reader(), kReadBytes),
        task_(Executor::RunningTask("an HTTP connection")) {}

  // Called once, by the task that made it.
  //
  // Result: OK when either side has ended it between requests; else why it
  //         ended.
  Task<absl::Status> Serve();

 private:
  static constexpr size_t kReadBytes = size_t{64} << 10;
  static constexpr size_t kPieceBytes = size_t{256} << 10;

  enum class Arrival : uint8_t { kRequest, kEnd, kRefused, kFailed };

  // --- Exchange.
  Task<absl::StatusOr<size_t>> ReadBody(std::span<std::byte> to) override;
  Task<absl::Status> Send(int status_code, const Headers& headers,
                          std::string_view body) override;
  Task<absl::Status> SendFile(int status_code, const Headers& headers, int file,
                              int64_t offset, uint64_t n_bytes) override;
  Task<absl::Status> Start(int status_code, const Headers& headers) override;
  Task<absl::Status> Write(std::span<const std::byte> bytes) override;
  Task<absl::Status> Finish(const Headers& trailers) override;
  Task<absl::Status> SendInformational(int status_code,
                                       const Headers& headers) override;
  const net::SocketAddress& peer() override;
  bool is_secure() const override {
    return requires { stream_.transport(); };
  }

  // --- HandlerWatch.
  void OnPatience() override;
  void OnTimeout() override {
    timed_out_ = true;
    task_.RequestCancel();
  }

  Task<Arrival> ReadHead();
  Task<void> Answer();
  Task<absl::Status> RunHandler();
  Task<void> EndAnswer(absl::Status handled);
  Task<absl::Status> SkipBody();
  Task<absl::Status> End();
  Task<void> WatchClient();
  Task<absl::Status> WriteLarge(std::span<const std::byte> bytes);

  std::string_view Arrived() {
    const std::span<const std::byte> bytes = in_.Peek();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  // What a write of the stream gave.
  absl::Status Sent(absl::Status sent) {
    if (!sent.ok()) cut_ = true;
    return sent;
  }
  auto TimedWrite(std::span<const std::byte> bytes) {
    return WithTimeout(options().write_timeout, stream_.Write(bytes));
  }
  std::span<const std::byte> OutBytes() const {
    return std::as_bytes(std::span(out_));
  }

  Loop& loop_;
  S stream_;
  using Reader = decltype(std::declval<S&>().reader());
  net::BufferedReader<Reader> in_;
  TaskContext& task_;
  CancelToken drain_;  // of no source until the first request was answered
  JoinHandle<void> client_watch_;
  net::SocketAddress peer_;
  absl::Status ended_;  // why, unless it is as agreed
  bool has_peer_ = false;
  bool client_gone_ = false;
  bool at_end_ = false;  // the client's
};

template <net::ByteStream S>
Task<absl::Status> Http1Connection<S>::Serve() {
  while (true) {
    Task<Arrival> read = ReadHead();
    const Arrival arrival = co_await std::move(read);
    if (arrival == Arrival::kEnd || arrival == Arrival::kFailed) break;
    BeginRequest(/*last=*/drain_.cancelled(), loop_.now());
    if (arrival == Arrival::kRefused) {
      const RequestError& error = parser_.error();
      Task<void> end = EndAnswer(
          Refuse(error.status_code, absl::InvalidArgumentError(error.text)));
      co_await std::move(end);
      break;
    }
    Task<void> answer = Answer();
    co_await std::move(answer);
    if (!keep_ || cut_) break;
    if (!drain_.has_source()) drain_ = DrainToken();
  }
  Task<absl::Status> end = End();
  co_return co_await std::move(end);
}

template <net::ByteStream S>
auto Http1Connection<S>::ReadHead() -> Task<Arrival> {
  Forget();
  bool draining = drain_.cancelled();
  const bool first = n_requests_ == 0;
  MonotonicTime limit = loop_.now() + (first      ? options().head_timeout
                                       : draining ? options().drain_idle_time
                                                  : options().idle_timeout);
  bool begun = false;
  while (true) {
    if (const std::string_view bytes = Arrived(); !bytes.empty()) {
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
    absl::StatusOr<std::span<const std::byte>> arrived =
        begun || first || draining
            ? co_await WithDeadline(limit, in_.Fill(1))
            : co_await WithToken(drain_, WithDeadline(limit, in_.Fill(1)));
    if (arrived.ok() && !arrived->empty()) continue;
    if (arrived.ok()) {
      at_end_ = true;
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
      BeginRequest(/*last=*/true, loop_.now());
      Task<void> end = EndAnswer(Refuse(408, arrived.status()));
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
  absl::Status handled;
  if (parser_.head().content_length.value_or(0) > options().max_body_bytes) {
    handled = Refuse(413, absl::ResourceExhaustedError(
                              "the body is longer than max_body_bytes"));
  } else if (parser_.head().method == Method::kConnect) {
    handled = Refuse(501, absl::UnimplementedError("CONNECT"));
  } else {
    HandlerWatch::Begin(options().request_timeout);
    Task<absl::Status> run = RunHandler();
    handled = co_await std::move(run);
    HandlerWatch::End();
    if (client_watch_.valid()) {
      const Shield shield;
      client_watch_.Cancel();
      (co_await client_watch_).IgnoreError();
      client_watch_ = JoinHandle<void>();
    }
  }
  Task<void> end = EndAnswer(std::move(handled));
  co_await std::move(end);
}

template <net::ByteStream S>
Task<absl::Status> Http1Connection<S>::RunHandler() {
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

template <net::ByteStream S>
Task<void> Http1Connection<S>::EndAnswer(absl::Status handled) {
  // A handler that took too long was cancelled, and its task with it.
  std::optional<Shield> shield;
  if (timed_out_) shield.emplace();
  if (!shield.has_value() && task_.cancelled()) cut_ = true;
  if (client_gone_) cut_ = true;
  if (!cut_ && response_.started() && !response_ended_) {
    if (handled.ok()) {
      Task<absl::Status> finish = Finish(response_.trailers());
      handled = co_await std::move(finish);
    }
    if (!handled.ok()) cut_ = true;  // so that the client knows
  } else if (!cut_ && !response_.started()) {
    const int code = StatusCodeFor(handled);
    if (timed_out_ || code >= 500) keep_ = keep_ && !timed_out_;
    response_.headers().Clear();
    const std::string_view phrase = ReasonPhrase(code);
    Task<absl::Status> send = Send(code, response_.headers(), phrase);
    (co_await std::move(send)).IgnoreError();
  }
  if (keep_ && !cut_ && !body_done_) {
    Task<absl::Status> skip = SkipBody();
    if (!(co_await std::move(skip)).ok()) keep_ = false;
  }
  Log(handled, loop_.now());
  if (refusal_ != 0 || cut_) ended_ = std::move(handled);
}

// For the next request to follow.
template <net::ByteStream S>
Task<absl::Status> Http1Connection<S>::SkipBody() {
  std::array<std::byte, 4096> dropped;
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

template <net::ByteStream S>
Task<absl::Status> Http1Connection<S>::End() {
  if (cut_) {
    stream_.Reset();
    co_return ended_;
  }
  // How that ends is nobody's business: all responses have left.
  if (at_end_) {
    (co_await stream_.Close()).IgnoreError();
  } else {
    (co_await stream_.CloseGracefully(options().goodbye_timeout)).IgnoreError();
  }
  co_return ended_;
}

template <net::ByteStream S>
void Http1Connection<S>::OnPatience() {
  if (!body_done_ || client_watch_.valid()) return;
  JoinHandle<void> watch = Spawn(WatchClient(), "http client watch");
  if (watch.spawn_status().ok()) client_watch_ = std::move(watch);
}

// Until the client has ended, or has sent more than can be kept. The handler
// does not read: the body has ended.
template <net::ByteStream S>
Task<void> Http1Connection<S>::WatchClient() {
  while (in_.buffered_bytes() < kReadBytes / 2) {
    const size_t wanted = in_.buffered_bytes() + 1;
    absl::StatusOr<std::span<const std::byte>> more = co_await in_.Fill(wanted);
    if (more.ok() && more->size() >= wanted) continue;
    if (absl::IsCancelled(more.status())) co_return;
    if (more.ok() && !options().client_end_cancels) co_return;
    client_gone_ = true;
    task_.RequestCancel();
    co_return;
  }
}

template <net::ByteStream S>
Task<absl::StatusOr<size_t>> Http1Connection<S>::ReadBody(
    std::span<std::byte> to) {
  if (body_done_ || to.empty()) co_return 0;
  if (continue_due_) {
    continue_due_ = false;
    if (!response_.started()) {
      static constexpr std::string_view kContinue =
          "HTTP/1.1 100 Continue\r\n\r\n";
      absl::Status sent =
          co_await TimedWrite(std::as_bytes(std::span(kContinue)));
      if (sent = Sent(std::move(sent)); !sent.ok()) co_return sent;
    }
  }
  const absl::Duration patience = options().body_timeout;
  size_t n = 0;
  while (n == 0 && !body_done_) {
    absl::Status failed;
    bool ended = false;
    if (!parser_.head().chunked) {
      const size_t most = std::min<uint64_t>(to.size(), body_left_);
      const absl::StatusOr<size_t> read =
          co_await WithTimeout(patience, in_.Read(to.first(most)));
      failed = read.status();
      n = read.value_or(0);
      ended = read.ok() && n == 0;
    } else if (const std::string_view bytes = Arrived(); !bytes.empty()) {
      size_t n_used = 0;
      const ParseStep step = parser_.ParseChunked(bytes, to, n_used, n);
      in_.Consume(n_used);
      if (step == ParseStep::kFailed) {
        const RequestError& error = parser_.error();
        co_return Refuse(error.status_code,
                         absl::InvalidArgumentError(error.text));
      }
      body_done_ = step == ParseStep::kDone;
    } else {
      const absl::StatusOr<std::span<const std::byte>> more =
          co_await WithTimeout(patience, in_.Fill(1));
      failed = more.status();
      ended = more.ok() && more->empty();
    }
    if (absl::IsDeadlineExceeded(failed)) co_return Refuse(408, failed);
    if (!failed.ok()) {
      cut_ = true;
      co_return failed;
    }
    if (ended) {
      at_end_ = true;
      co_return Refuse(
          400, absl::OutOfRangeError("the client has ended within the body"));
    }
  }
  if (absl::Status over = OnBody(n); !over.ok()) co_return over;
  co_return n;
}

template <net::ByteStream S>
Task<absl::Status> Http1Connection<S>::Send(int status_code,
                                            const Headers& headers,
                                            std::string_view body) {
  if (absl::Status s = BeginResponse(status_code, headers, body.size(),
                                     /*default_type=*/!body.empty());
      !s.ok()) {
    co_return s;
  }
  if (sends_body_) response_.OnBody(body.size());
  response_ended_ = true;
  const bool copied = sends_body_ && body.size() <= kCopiedBytes;
  if (copied) out_.append(body);
  if (copied || !sends_body_ || body.empty())
    co_return Sent(co_await TimedWrite(OutBytes()));
  const std::span<const std::byte> rest = std::as_bytes(std::span(body));
  const std::array<std::span<const std::byte>, 2> parts = {
      OutBytes(), rest.first(std::min(rest.size(), kPieceBytes))};
  absl::Status sent = Sent(
      co_await WithTimeout(options().write_timeout, stream_.Writev(parts)));
  if (!sent.ok() || rest.size() <= kPieceBytes) co_return sent;
  Task<absl::Status> write = WriteLarge(rest.subspan(kPieceBytes));
  co_return co_await std::move(write);
}

// The deadline is for each piece, so that a slow client has time for the whole.
template <net::ByteStream S>
Task<absl::Status> Http1Connection<S>::WriteLarge(
    std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const size_t n = std::min(bytes.size(), kPieceBytes);
    absl::Status sent = Sent(co_await TimedWrite(bytes.first(n)));
    if (!sent.ok()) co_return sent;
    bytes = bytes.subspan(n);
  }
  co_return absl::OkStatus();
}

template <net::ByteStream S>
Task<absl::Status> Http1Connection<S>::SendFile(int status_code,
                                                const Headers& headers,
                                                int file, int64_t offset,
                                                uint64_t n_bytes) {
  if (absl::Status s = BeginResponse(status_code, headers, n_bytes,
                                     /*default_type=*/false);
      !s.ok()) {
    co_return s;
  }
  response_ended_ = true;
  absl::Status sent = Sent(co_await TimedWrite(OutBytes()));
  if (!sent.ok() || !sends_body_) co_return sent;
  while (n_bytes > 0) {
    const uint64_t part = std::min<uint64_t>(n_bytes, kPieceBytes);
    const absl::StatusOr<uint64_t> n = co_await WithTimeout(
        options().write_timeout, stream_.writer().SendFile(file, offset, part));
    if (n.ok()) {
      response_.OnBody(*n);
      n_bytes -= *n;
      offset += static_cast<int64_t>(*n);
      if (*n == part) continue;
    }
    cut_ = true;  // so that the client knows
    if (!n.ok()) co_return n.status();
    co_return absl::OutOfRangeError("the file has ended before");
  }
  co_return absl::OkStatus();
}

template <net::ByteStream S>
Task<absl::Status> Http1Connection<S>::Start(int status_code,
                                             const Headers& headers) {
  if (absl::Status s = BeginResponse(status_code, headers, std::nullopt,
                                     /*default_type=*/false);
      !s.ok()) {
    co_return s;
  }
  co_return Sent(co_await TimedWrite(OutBytes()));
}

template <net::ByteStream S>
Task<absl::Status> Http1Connection<S>::Write(std::span<const std::byte> bytes) {
  if (absl::Status s = OnResponseBody(bytes.size()); !s.ok()) co_return s;
  if (!sends_body_ || bytes.empty()) co_return absl::OkStatus();
  while (!bytes.empty()) {
    const std::span<const std::byte> piece =
        bytes.first(std::min(bytes.size(), kPieceBytes));
    bytes = bytes.subspan(piece.size());
    absl::Status sent;
    if (framing_ == Framing::kChunked) {
      out_.clear();
      AppendChunkStart(piece.size(), out_);
      const std::array<std::span<const std::byte>, 3> parts = {
          OutBytes(), piece, std::as_bytes(std::span(kChunkEnd))};
      sent =
          co_await WithTimeout(options().write_timeout, stream_.Writev(parts));
    } else {
      sent = co_await TimedWrite(piece);
    }
    if (sent = Sent(std::move(sent)); !sent.ok()) co_return sent;
  }
  co_return absl::OkStatus();
}

template <net::ByteStream S>
Task<absl::Status> Http1Connection<S>::Finish(const Headers& trailers) {
  if (!trailers.status().ok()) co_return trailers.status();
  if (absl::Status s = EndResponse(); !s.ok()) co_return s;
  if (framing_ != Framing::kChunked || !sends_body_) co_return absl::OkStatus();
  out_.clear();
  AppendLastChunk(trailers, out_);
  co_return Sent(co_await TimedWrite(OutBytes()));
}

template <net::ByteStream S>
Task<absl::Status> Http1Connection<S>::SendInformational(
    int status_code, const Headers& headers) {
  if (response_.started())
    co_return absl::FailedPreconditionError("the response has begun already");
  if (status_code < 102 || status_code > 199)
    co_return absl::InvalidArgumentError("no informational status");
  if (!headers.status().ok()) co_return headers.status();
  if (parser_.head().version == Version::kHttp10) co_return absl::OkStatus();
  ConnectionFields fields;
  fields.framing = Framing::kNone;
  out_.clear();
  AppendResponseHead(status_code, headers, fields, out_);
  co_return Sent(co_await TimedWrite(OutBytes()));
}

template <net::ByteStream S>
const net::SocketAddress& Http1Connection<S>::peer() {
  if (has_peer_) return peer_;
  has_peer_ = true;
  if constexpr (requires { stream_.PeerAddress(); }) {
    peer_ = stream_.PeerAddress().value_or(net::SocketAddress());
  } else if constexpr (requires { stream_.transport().PeerAddress(); }) {
    peer_ = stream_.transport().PeerAddress().value_or(net::SocketAddress());
  }
  return peer_;
}

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_HTTP1_CONNECTION_H_
