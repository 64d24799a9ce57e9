// SPDX-License-Identifier: Apache-2.0
//
// Http1ClientConnection: requests by HTTP/1.1 over one connection, one after
// the other, without a pool.
//
//   Http1ClientConnection<net::TcpStream> connection(options,
//                                                    std::move(stream));
//   absl::Status done = co_await connection.Send(request, body);
//   if (done.ok()) done = co_await connection.ReadHead();
//   ... connection.head().status_code ...
//   while (...) n = co_await connection.ReadBody(buffer);
//   if (connection.reusable()) ...  // the next one

#ifndef RINGWAY_HTTP_CLIENT_HTTP1_CLIENT_CONNECTION_H_
#define RINGWAY_HTTP_CLIENT_HTTP1_CLIENT_CONNECTION_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/client/http1_client_state.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/stream_concepts.h"

namespace ringway::http::internal {

// At a fixed address.
//
// Threads: its loop's.
// Cost:    a frame for each function, one write of the stream for a request; no
//          allocation once warm, of a connection that is kept alive.
template <net::ByteStream S>
class Http1ClientConnection final : public Http1ClientState {
 public:
  // A body of up to so many bytes is copied behind its head: cheaper than a
  // write of two parts.
  static constexpr size_t kCopiedBytes = 2048;
  // Of one write, which has ClientOptions::write_timeout.
  static constexpr size_t kPieceBytes = size_t{64} << 10;
  // Of what has arrived.
  static constexpr size_t kReadBytes = size_t{64} << 10;

  // `options` outlive this.
  Http1ClientConnection(const ClientOptions& options, S stream)
      : Http1ClientState(options),
        stream_(std::move(stream)),
        in_(stream_.reader(), kReadBytes) {}

  Task<absl::Status> Send(const OutgoingRequest& request,
                          std::string_view body) override;
  Task<absl::Status> WriteBody(std::span<const std::byte> bytes) override;
  Task<absl::Status> EndBody(const Headers& trailers) override;
  Task<absl::Status> ReadHead() override;
  Task<absl::StatusOr<size_t>> ReadBody(std::span<std::byte> to) override;

  bool reusable() const override {
    return keep_ && !cut_ && !idle_ended_ && request_done_ && response_done_ &&
           !uploading() && in_.buffered_bytes() == 0;
  }
  Task<absl::Status> WaitIdle(absl::Duration timeout) override;
  void Cut() override {
    cut_ = true;
    stream_.Reset();
  }

  std::unique_ptr<OwnedTunnel> TakeTunnel() override {
    cut_ = true;
    return std::make_unique<StreamTunnel<S>>(std::move(stream_), std::move(in_),
                                             options_.write_timeout);
  }

 private:
  std::string_view Arrived() {
    const std::span<const std::byte> bytes = in_.Peek();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  // Its loop has ended, and with it what has arrived.
  bool Gone() const {
    if constexpr (requires { stream_.valid(); }) return !stream_.valid();
    return false;
  }
  static absl::Status GoneStatus() {
    return absl::FailedPreconditionError(
        "the connection of the response has ended");
  }
  // EndUpload() has ended a wait, not this task's owner.
  bool WasInterrupted(bool was_uploading, const absl::Status& waited) const {
    return was_uploading && !uploading() && absl::IsCancelled(waited);
  }
  // Writes parts of the body that were counted.
  Task<absl::Status> WritePieces(std::span<const std::byte> bytes);
  Task<absl::StatusOr<size_t>> ReadPart(std::span<std::byte> to);

  S stream_;
  net::BufferedReader<decltype(std::declval<S&>().reader())> in_;
};

template <net::ByteStream S>
Task<absl::Status> Http1ClientConnection<S>::Send(
    const OutgoingRequest& request, std::string_view body) {
  if (absl::Status s = BeginRequest(request, body.size()); !s.ok()) co_return s;
  std::span<const std::byte> rest;
  absl::Status sent;
  if (body.size() <= kCopiedBytes) {
    out_.append(body);
    sent = co_await WithDeadline(WriteLimit(), stream_.Write(OutBytes()));
  } else {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(body));
    const size_t n = std::min(bytes.size(), kPieceBytes);
    const std::array<std::span<const std::byte>, 2> parts = {OutBytes(),
                                                             bytes.first(n)};
    sent = co_await WithDeadline(WriteLimit(), stream_.Writev(parts));
    rest = bytes.subspan(n);
  }
  sent = Written(std::move(sent));
  if (sent.ok() && !rest.empty()) {
    Task<absl::Status> write = WritePieces(rest);
    sent = co_await std::move(write);
  }
  if (!sent.ok()) co_return request_done_ ? absl::OkStatus() : sent;
  if (request.framing != Framing::kChunked &&
      body.size() ==
          (request.framing == Framing::kLength ? request.content_length : 0)) {
    OnRequestDone();
  }
  co_return absl::OkStatus();
}

template <net::ByteStream S>
Task<absl::Status> Http1ClientConnection<S>::WritePieces(
    std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::span<const std::byte> piece =
        bytes.first(std::min(bytes.size(), kPieceBytes));
    bytes = bytes.subspan(piece.size());
    absl::Status sent;
    if (request_framing_ == Framing::kChunked) {
      out_.clear();
      AppendChunkStart(piece.size(), out_);
      const std::array<std::span<const std::byte>, 3> parts = {
          OutBytes(), piece, std::as_bytes(std::span(kChunkEnd))};
      sent = co_await WithDeadline(WriteLimit(), stream_.Writev(parts));
    } else {
      sent = co_await WithDeadline(WriteLimit(), stream_.Write(piece));
    }
    if (sent = Written(std::move(sent)); !sent.ok()) co_return sent;
  }
  co_return absl::OkStatus();
}

template <net::ByteStream S>
Task<absl::Status> Http1ClientConnection<S>::WriteBody(
    std::span<const std::byte> bytes) {
  if (absl::Status s = CountBody(bytes.size()); !s.ok()) co_return s;
  Task<absl::Status> write = WritePieces(bytes);
  co_return co_await std::move(write);
}

template <net::ByteStream S>
Task<absl::Status> Http1ClientConnection<S>::EndBody(const Headers& trailers) {
  if (absl::Status s = CheckEnd(trailers); !s.ok()) co_return s;
  if (request_framing_ == Framing::kChunked) {
    out_.clear();
    AppendLastChunk(trailers, out_);
    absl::Status sent =
        Written(co_await WithDeadline(WriteLimit(), stream_.Write(OutBytes())));
    if (!sent.ok()) co_return sent;
  }
  OnRequestDone();
  co_return absl::OkStatus();
}

template <net::ByteStream S>
Task<absl::Status> Http1ClientConnection<S>::ReadHead() {
  if (Gone()) co_return GoneStatus();
  while (true) {
    const std::string_view bytes = Arrived();
    if (!bytes.empty()) {
      response_begun_ = true;
      size_t n_used = 0;
      const ParseStep step = parser_.ParseHead(bytes, n_used);
      in_.Consume(n_used);
      if (step == ParseStep::kFailed) co_return Fail(parser_.error());
      if (step == ParseStep::kNeedMore) continue;
      const absl::StatusOr<bool> is_last = OnHead();
      if (!is_last.ok()) co_return is_last.status();
      if (*is_last) co_return absl::OkStatus();
      continue;
    }
    const bool was_uploading = uploading();
    const absl::StatusOr<std::span<const std::byte>> more =
        was_uploading
            ? co_await WithToken(interrupt_->token(),
                                 WithDeadline(HeadLimit(), in_.Fill(1)))
            : co_await WithDeadline(HeadLimit(), in_.Fill(1));
    if (WasInterrupted(was_uploading, more.status())) {
      if (absl::Status s = OnInterrupted(); !s.ok()) co_return s;
      continue;
    }
    if (!more.ok()) co_return OnReadFailed(more.status(), "head_timeout");
    if (more->empty()) co_return OnEnd();
  }
}

template <net::ByteStream S>
Task<absl::StatusOr<size_t>> Http1ClientConnection<S>::ReadPart(
    std::span<std::byte> to) {
  const bool was_uploading = uploading();
  const MonotonicTime limit = BodyLimit();
  absl::StatusOr<size_t> read = 0;
  if (head().framing != Framing::kChunked) {
    read = was_uploading ? co_await WithToken(interrupt_->token(),
                                              WithDeadline(limit, in_.Read(to)))
                         : co_await WithDeadline(limit, in_.Read(to));
  } else {
    const absl::StatusOr<std::span<const std::byte>> more =
        was_uploading ? co_await WithToken(interrupt_->token(),
                                           WithDeadline(limit, in_.Fill(1)))
                      : co_await WithDeadline(limit, in_.Fill(1));
    if (!more.ok()) {
      read = more.status();
    } else {
      read = more->size();
    }
  }
  if (WasInterrupted(was_uploading, read.status())) {
    if (absl::Status s = OnInterrupted(); !s.ok()) co_return s;
    Task<absl::StatusOr<size_t>> again = ReadPart(to);
    co_return co_await std::move(again);
  }
  if (absl::IsCancelled(read.status())) co_return read;  // it may go on
  if (!read.ok()) co_return OnReadFailed(read.status(), "body_timeout");
  if (*read > 0) co_return read;
  if (head().framing != Framing::kClose) co_return OnEnd();
  OnResponseDone();
  co_return 0;
}

template <net::ByteStream S>
Task<absl::StatusOr<size_t>> Http1ClientConnection<S>::ReadBody(
    std::span<std::byte> to) {
  if (to.empty()) co_return 0;
  if (!response_done_ && (cut_ || Gone())) co_return GoneStatus();
  while (!response_done_) {
    if (head().framing != Framing::kChunked) {
      if (head().framing == Framing::kLength)
        to = to.first(std::min<uint64_t>(to.size(), body_left_));
      Task<absl::StatusOr<size_t>> read = ReadPart(to);
      const absl::StatusOr<size_t> n = co_await std::move(read);
      if (!n.ok() || head().framing == Framing::kClose) co_return n;
      body_left_ -= *n;
      if (body_left_ == 0) OnResponseDone();
      co_return n;
    }
    if (const std::string_view bytes = Arrived(); !bytes.empty()) {
      size_t n_used = 0;
      size_t n = 0;
      const ParseStep step = parser_.ParseChunked(bytes, to, n_used, n);
      in_.Consume(n_used);
      if (step == ParseStep::kFailed) co_return Fail(parser_.error());
      if (step == ParseStep::kDone) OnResponseDone();
      if (n > 0) co_return n;
      continue;
    }
    Task<absl::StatusOr<size_t>> read = ReadPart(to);
    const absl::StatusOr<size_t> n = co_await std::move(read);
    if (!n.ok()) co_return n;
  }
  co_return 0;
}

template <net::ByteStream S>
Task<absl::Status> Http1ClientConnection<S>::WaitIdle(absl::Duration timeout) {
  const absl::StatusOr<std::span<const std::byte>> more =
      co_await WithTimeout(timeout, in_.Fill(1));
  if (!absl::IsCancelled(more.status())) idle_ended_ = true;
  co_return more.status();
}

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_CLIENT_HTTP1_CLIENT_CONNECTION_H_
