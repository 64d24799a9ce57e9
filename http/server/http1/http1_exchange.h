// SPDX-License-Identifier: Apache-2.0
//
// Http1Exchange: bodies and responses of an HTTP/1 connection, on its stream.

#ifndef RINGWAY_HTTP_SERVER_HTTP1_HTTP1_EXCHANGE_H_
#define RINGWAY_HTTP_SERVER_HTTP1_HTTP1_EXCHANGE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/http1/request_parser.h"
#include "ringway/http/http1/response_head.h"
#include "ringway/http/server/http1/http1_state.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/stream_concepts.h"

namespace ringway::http::internal {

template <net::ByteStream S>
class Http1Exchange : public Http1State {
 public:
  using Reader = net::BufferedReader<decltype(std::declval<S&>().reader())>;

  Http1Exchange(std::shared_ptr<const ServerCore> core, S stream)
      : Http1State(std::move(core), CurrentExecutor().locals().Get<DateCache>(),
                   CurrentExecutor().locals().Get<RequestMemoryPool>()),
        stream_(std::move(stream)),
        in_(stream_.reader(), kReadBytes) {}

  Task<absl::StatusOr<size_t>> ReadBody(std::span<std::byte> to) final;
  Task<absl::Status> Send(int status_code, const Headers& headers,
                          std::string_view body) final;
  Task<absl::Status> SendFile(int status_code, const Headers& headers, int file,
                              int64_t offset, uint64_t n_bytes) final;
  Task<absl::Status> Start(int status_code, const Headers& headers) final;
  Task<absl::Status> Write(std::span<const std::byte> bytes) final;
  Task<absl::Status> Finish(const Headers& trailers) final;
  Task<absl::Status> SendInformational(int status_code,
                                       const Headers& headers) final;
  const net::SocketAddress& peer() final;
  bool is_secure() const final {
    return requires { stream_.transport(); };
  }

 protected:
  // Of what has arrived.
  static constexpr size_t kReadBytes = size_t{64} << 10;
  // Of one write, which has ServerOptions::write_timeout.
  static constexpr size_t kPieceBytes = size_t{256} << 10;

  ~Http1Exchange() = default;

  std::string_view Arrived() {
    const std::span<const std::byte> bytes = in_.Peek();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  Task<absl::Status> WriteLarge(std::span<const std::byte> bytes);
  // What a write of the stream gave.
  absl::Status Sent(absl::Status sent) {
    if (!sent.ok()) cut_ = true;
    return sent;
  }
  std::span<const std::byte> OutBytes() {
    return std::as_bytes(std::span(out()));
  }

  S stream_;
  Reader in_;
  bool at_end_ = false;  // the client's

 private:
  net::SocketAddress peer_;
  bool has_peer_ = false;
};

template <net::ByteStream S>
Task<absl::StatusOr<size_t>> Http1Exchange<S>::ReadBody(
    std::span<std::byte> to) {
  if (body_done_ || to.empty()) co_return 0;
  if (continue_due_) {
    continue_due_ = false;
    if (!response_.started()) {
      static constexpr std::string_view kContinue =
          "HTTP/1.1 100 Continue\r\n\r\n";
      absl::Status sent = co_await WithTimeout(
          options().write_timeout,
          stream_.Write(std::as_bytes(std::span(kContinue))));
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
    if (absl::IsDeadlineExceeded(failed) ||
        (absl::IsCancelled(failed) && timed_out_)) {
      co_return Refuse(408, failed);
    }
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
Task<absl::Status> Http1Exchange<S>::Send(int status_code,
                                          const Headers& headers,
                                          std::string_view body) {
  if (absl::Status s = BeginResponse(status_code, headers, body.size(),
                                     /*default_type=*/!body.empty());
      !s.ok()) {
    co_return s;
  }
  if (sends_body_) response_.OnBody(body.size());
  answered_ = true;
  const bool copied = sends_body_ && body.size() <= kCopiedBytes;
  if (copied) out().append(body);
  if (copied || !sends_body_ || body.empty())
    co_return Sent(co_await WithTimeout(options().write_timeout,
                                        stream_.Write(OutBytes())));
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
Task<absl::Status> Http1Exchange<S>::WriteLarge(
    std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const size_t n = std::min(bytes.size(), kPieceBytes);
    absl::Status sent = Sent(co_await WithTimeout(
        options().write_timeout, stream_.Write(bytes.first(n))));
    if (!sent.ok()) co_return sent;
    bytes = bytes.subspan(n);
  }
  co_return absl::OkStatus();
}

template <net::ByteStream S>
Task<absl::Status> Http1Exchange<S>::SendFile(int status_code,
                                              const Headers& headers, int file,
                                              int64_t offset,
                                              uint64_t n_bytes) {
  if (absl::Status s = BeginResponse(status_code, headers, n_bytes,
                                     /*default_type=*/false);
      !s.ok()) {
    co_return s;
  }
  answered_ = true;
  absl::Status sent = Sent(
      co_await WithTimeout(options().write_timeout, stream_.Write(OutBytes())));
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
Task<absl::Status> Http1Exchange<S>::Start(int status_code,
                                           const Headers& headers) {
  if (absl::Status s = BeginResponse(status_code, headers, std::nullopt,
                                     /*default_type=*/false);
      !s.ok()) {
    co_return s;
  }
  co_return Sent(
      co_await WithTimeout(options().write_timeout, stream_.Write(OutBytes())));
}

template <net::ByteStream S>
Task<absl::Status> Http1Exchange<S>::Write(std::span<const std::byte> bytes) {
  if (absl::Status s = CountResponse(bytes.size()); !s.ok()) co_return s;
  if (!sends_body_ || bytes.empty()) co_return absl::OkStatus();
  while (!bytes.empty()) {
    const std::span<const std::byte> piece =
        bytes.first(std::min(bytes.size(), kPieceBytes));
    bytes = bytes.subspan(piece.size());
    absl::Status sent;
    if (framing_ == Framing::kChunked) {
      out().clear();
      AppendChunkStart(piece.size(), out());
      const std::array<std::span<const std::byte>, 3> parts = {
          OutBytes(), piece, std::as_bytes(std::span(kChunkEnd))};
      sent =
          co_await WithTimeout(options().write_timeout, stream_.Writev(parts));
    } else {
      sent =
          co_await WithTimeout(options().write_timeout, stream_.Write(piece));
    }
    if (sent = Sent(std::move(sent)); !sent.ok()) co_return sent;
  }
  co_return absl::OkStatus();
}

template <net::ByteStream S>
Task<absl::Status> Http1Exchange<S>::Finish(const Headers& trailers) {
  if (absl::Status s = EndResponse(trailers); !s.ok()) co_return s;
  if (framing_ != Framing::kChunked || !sends_body_) co_return absl::OkStatus();
  out().clear();
  AppendLastChunk(trailers, out());
  co_return Sent(
      co_await WithTimeout(options().write_timeout, stream_.Write(OutBytes())));
}

template <net::ByteStream S>
Task<absl::Status> Http1Exchange<S>::SendInformational(int status_code,
                                                       const Headers& headers) {
  if (absl::Status s = CheckInformational(status_code, headers); !s.ok())
    co_return s;
  if (parser_.head().version == Version::kHttp10) co_return absl::OkStatus();
  ConnectionFields fields;
  fields.framing = Framing::kNone;
  out().clear();
  AppendResponseHead(status_code, headers, fields, out());
  co_return Sent(
      co_await WithTimeout(options().write_timeout, stream_.Write(OutBytes())));
}

template <net::ByteStream S>
const net::SocketAddress& Http1Exchange<S>::peer() {
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

#endif  // RINGWAY_HTTP_SERVER_HTTP1_HTTP1_EXCHANGE_H_
