// SPDX-License-Identifier: Apache-2.0
//
// Http1Tunnel: an HTTP/1 connection that is upgraded to another protocol.

#ifndef RINGWAY_HTTP_SERVER_HTTP1_HTTP1_TUNNEL_H_
#define RINGWAY_HTTP_SERVER_HTTP1_HTTP1_TUNNEL_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/cancel_token.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/http2/upgrade_request.h"
#include "ringway/http/server/http1/http1_exchange.h"
#include "ringway/http/tunnel/tunnel.h"
#include "ringway/net/stream_concepts.h"

namespace ringway::http::internal {

template <net::ByteStream S>
class Http1Tunnel : public Http1Exchange<S>, private Tunnel {
 public:
  using Http1Exchange<S>::Http1Exchange;

  Task<absl::StatusOr<Tunnel*>> Upgrade(std::string_view protocol,
                                        const Headers& headers) final;

  // The client speaks HTTP/2: HTTP/1 has ended at its preface, which is for
  // another connection, or at a request that asks for it.
  bool is_http2() const { return is_http2_; }
  std::unique_ptr<UpgradeRequest> TakeUpgrade() { return std::move(upgrade_); }

 protected:
  using Base = Http1Exchange<S>;
  using Base::at_end_;
  using Base::cut_;
  using Base::in_;
  using Base::options;
  using Base::stream_;

  ~Http1Tunnel() = default;

  // Leaves HTTP/1 for HTTP/2 if the request asks for that.
  Task<bool> BeginHttp2();
  // Nothing of the connection but the tunnel may read from now on.
  virtual Task<void> LeaveHttp() = 0;

  bool is_http2_ = false;

 private:
  std::span<const std::byte> Peek() final { return in_.Peek(); }
  void Consume(size_t n_bytes) final { in_.Consume(n_bytes); }
  Task<absl::StatusOr<std::span<const std::byte>>> Fill(
      absl::Duration timeout, const CancelToken& until) final;
  using Base::Write;
  Task<absl::Status> Write(std::span<const std::byte> head,
                           std::span<const std::byte> body) final;
  const CancelToken& drain() const final { return this->drain_; }

  std::unique_ptr<UpgradeRequest> upgrade_;
};

template <net::ByteStream S>
Task<bool> Http1Tunnel<S>::BeginHttp2() {
  upgrade_ = UpgradeRequest::From(this->parser_.head());
  if (upgrade_ == nullptr) co_return false;
  const absl::Status sent = co_await WithTimeout(
      options().write_timeout,
      stream_.Write(std::as_bytes(std::span(kUpgradeResponse))));
  // If it was not sent, the connection of HTTP/2 fails at its first write.
  sent.IgnoreError();
  is_http2_ = true;
  co_return true;
}

template <net::ByteStream S>
Task<absl::StatusOr<Tunnel*>> Http1Tunnel<S>::Upgrade(std::string_view protocol,
                                                      const Headers& headers) {
  if (absl::Status s = this->BeginUpgrade(protocol, headers); !s.ok())
    co_return s;
  Task<void> leave = LeaveHttp();
  co_await std::move(leave);
  absl::Status sent = this->Sent(co_await WithTimeout(
      options().write_timeout, stream_.Write(this->OutBytes())));
  if (!sent.ok()) co_return sent;
  co_return static_cast<Tunnel*>(this);
}

template <net::ByteStream S>
Task<absl::StatusOr<std::span<const std::byte>>> Http1Tunnel<S>::Fill(
    absl::Duration timeout, const CancelToken& until) {
  const absl::StatusOr<std::span<const std::byte>> filled =
      co_await WithToken(until, WithTimeout(timeout, in_.Fill(1)));
  if (filled.ok() && filled->empty()) at_end_ = true;
  if (!filled.ok() && !until.cancelled() &&
      !absl::IsCancelled(filled.status()) &&
      !absl::IsDeadlineExceeded(filled.status())) {
    cut_ = true;
  }
  co_return filled;
}

template <net::ByteStream S>
Task<absl::Status> Http1Tunnel<S>::Write(std::span<const std::byte> head,
                                         std::span<const std::byte> body) {
  this->response_.OnBody(head.size() + body.size());
  // A copy is cheaper than a write of two parts.
  const bool copied = body.size() <= Base::kCopiedBytes;
  const std::span<const std::byte> piece =
      body.first(std::min(body.size(), Base::kPieceBytes));
  absl::Status sent;
  if (copied) {
    this->out().assign(reinterpret_cast<const char*>(head.data()), head.size());
    this->out().append(reinterpret_cast<const char*>(body.data()), body.size());
    sent = co_await WithTimeout(options().write_timeout,
                                stream_.Write(this->OutBytes()));
  } else {
    const std::array<std::span<const std::byte>, 2> parts = {head, piece};
    sent = co_await WithTimeout(options().write_timeout, stream_.Writev(parts));
  }
  if (sent = this->Sent(std::move(sent)); !sent.ok()) co_return sent;
  if (copied || piece.size() == body.size()) co_return sent;
  Task<absl::Status> rest = this->WriteLarge(body.subspan(piece.size()));
  co_return co_await std::move(rest);
}

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_SERVER_HTTP1_HTTP1_TUNNEL_H_
