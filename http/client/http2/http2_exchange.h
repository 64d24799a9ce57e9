// SPDX-License-Identifier: Apache-2.0
//
// Http2Exchange: a request and its response on an HTTP/2 connection of a pool.

#ifndef RINGWAY_HTTP_CLIENT_HTTP2_HTTP2_EXCHANGE_H_
#define RINGWAY_HTTP_CLIENT_HTTP2_HTTP2_EXCHANGE_H_

#include <cstddef>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/sync/semaphore.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/client/client_exchange.h"
#include "ringway/http/client/http2/http2_call.h"
#include "ringway/http/client/http2/http2_client_state.h"
#include "ringway/http/client/pool_state.h"

namespace ringway::http::internal {

class Http2Exchange final : public ClientExchange {
 public:
  // `place` is one of the connection's.
  Http2Exchange(std::shared_ptr<PoolState> pool,
                std::shared_ptr<Http2ClientState> connection,
                SemaphorePermit place);
  ~Http2Exchange() override { Finish(); }

  Task<absl::Status> Start(const OutgoingRequest& request,
                           std::shared_ptr<RequestBody> body,
                           MonotonicTime deadline) override;
  Resend resend() const override;
  ReceivedResponse& head() override { return call_->head(); }
  Task<absl::StatusOr<size_t>> ReadBody(std::span<std::byte> to) override {
    return call_->ReadBody(to);
  }
  bool done() const override { return call_->done(); }
  Headers& trailers() override { return call_->trailers(); }
  void Finish() override;

 private:
  Task<absl::Status> SendAndRead(const OutgoingRequest& request);

  const std::shared_ptr<PoolState> pool_;
  const std::shared_ptr<Http2ClientState> connection_;
  SemaphorePermit place_;
  std::shared_ptr<RequestBody> body_;  // which the call refers to
  const std::shared_ptr<Http2Call> call_;
  JoinHandle<void> upload_;
  bool reused_ = false;  // the connection
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_CLIENT_HTTP2_HTTP2_EXCHANGE_H_
