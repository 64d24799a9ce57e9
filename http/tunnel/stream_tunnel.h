// SPDX-License-Identifier: Apache-2.0
//
// StreamTunnel: a client's connection after it has left HTTP.

#ifndef RINGWAY_HTTP_TUNNEL_STREAM_TUNNEL_H_
#define RINGWAY_HTTP_TUNNEL_STREAM_TUNNEL_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/tunnel/tunnel.h"
#include "ringway/net/buffered_reader.h"
#include "ringway/net/stream_concepts.h"

namespace ringway::http {

// One that ends with its owner.
class OwnedTunnel : public Tunnel {
 public:
  virtual ~OwnedTunnel() = default;
  // Ends it as net::TcpStream::CloseGracefully() does.
  virtual Task<absl::Status> Close(absl::Duration timeout) = 0;
};

template <net::ByteStream S>
class StreamTunnel final : public OwnedTunnel {
 public:
  using Reader = net::BufferedReader<decltype(std::declval<S&>().reader())>;

  // `in` reads from `stream`. `write_timeout`: of each write of up to 256 KiB.
  StreamTunnel(S stream, Reader in, absl::Duration write_timeout)
      : stream_(std::move(stream)),
        in_(std::move(in)),
        write_timeout_(write_timeout) {}

  std::span<const std::byte> Peek() override { return in_.Peek(); }
  void Consume(size_t n_bytes) override { in_.Consume(n_bytes); }

  Task<absl::StatusOr<std::span<const std::byte>>> Fill(
      absl::Duration timeout, const CancelToken& until) override {
    co_return co_await WithToken(until, WithTimeout(timeout, in_.Fill(1)));
  }

  Task<absl::Status> Write(std::span<const std::byte> head,
                           std::span<const std::byte> body) override {
    std::span<const std::byte> piece =
        body.first(std::min(body.size(), kPieceBytes));
    const std::array<std::span<const std::byte>, 2> parts = {head, piece};
    absl::Status sent =
        co_await WithTimeout(write_timeout_, stream_.Writev(parts));
    while (sent.ok() && piece.size() < body.size()) {
      body = body.subspan(piece.size());
      piece = body.first(std::min(body.size(), kPieceBytes));
      sent = co_await WithTimeout(write_timeout_, stream_.Write(piece));
    }
    if (!sent.ok()) stream_.Reset();
    co_return sent;
  }

  const CancelToken& drain() const override { return never_; }

  Task<absl::Status> Close(absl::Duration timeout) override {
    return stream_.CloseGracefully(timeout);
  }

 private:
  static constexpr size_t kPieceBytes = size_t{256} << 10;

  S stream_;
  Reader in_;
  const absl::Duration write_timeout_;
  const CancelToken never_;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_TUNNEL_STREAM_TUNNEL_H_
