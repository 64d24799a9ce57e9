// SPDX-License-Identifier: Apache-2.0
//
// Http1Exchange: a request and its response on an HTTP/1.1 connection of a
// pool.

#ifndef RINGWAY_HTTP_CLIENT_HTTP1_EXCHANGE_H_
#define RINGWAY_HTTP_CLIENT_HTTP1_EXCHANGE_H_

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/client/client_exchange.h"
#include "ringway/http/client/pool_host.h"

namespace ringway::http::internal {

class Http1Exchange final : public ClientExchange {
 public:
  // A body of up to so many bytes is sent before the response is waited for; a
  // longer one by a task beside that.
  static constexpr size_t kInlineBytes = size_t{64} << 10;

  explicit Http1Exchange(Http1Lease lease) : lease_(std::move(lease)) {}
  ~Http1Exchange() override;

  Task<absl::Status> Start(const OutgoingRequest& request,
                           std::shared_ptr<RequestBody> body,
                           MonotonicTime deadline) override;
  Resend resend() const override { return resend_; }
  ReceivedResponse& head() override { return connection().head(); }
  Task<absl::StatusOr<size_t>> ReadBody(std::span<std::byte> to) override {
    return connection().ReadBody(to);
  }
  bool done() const override { return lease_.connection->response_done(); }
  Headers& trailers() override { return connection().trailers(); }
  void Finish() override;

 private:
  Http1ClientState& connection() { return *lease_.connection; }

  Task<absl::Status> SendAndRead(const OutgoingRequest& request,
                                 std::shared_ptr<RequestBody> body);

  Http1Lease lease_;
  JoinHandle<void> upload_;
  Resend resend_ = Resend::kNo;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_CLIENT_HTTP1_EXCHANGE_H_
