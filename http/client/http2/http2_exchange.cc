// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/http2/http2_exchange.h"

#include <string_view>
#include <utility>

#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/http/client/upload.h"

namespace ringway::http::internal {

Http2Exchange::Http2Exchange(std::shared_ptr<PoolState> pool,
                             std::shared_ptr<Http2ClientState> connection,
                             SemaphorePermit place)
    : pool_(std::move(pool)),
      connection_(std::move(connection)),
      place_(std::move(place)),
      call_(std::make_shared<Http2Call>(connection_)) {}

Task<absl::Status> Http2Exchange::Start(const OutgoingRequest& request,
                                        std::shared_ptr<RequestBody> body,
                                        MonotonicTime deadline) {
  body_ = std::move(body);
  call_->set_deadline(deadline);
  reused_ = connection_->n_calls() > 0;
  Task<absl::Status> exchange = SendAndRead(request);
  absl::Status done = co_await std::move(exchange);
  if (done.ok()) co_return done;
  // The function of the body uses what the caller has.
  const Shield shield;
  Finish();
  if (upload_.valid()) (co_await upload_).IgnoreError();
  co_return done;
}

Task<absl::Status> Http2Exchange::SendAndRead(const OutgoingRequest& request) {
  const bool at_once = !body_->write && !request.expects_continue;
  absl::Status sent = call_->Send(
      request, at_once ? std::string_view(body_->bytes) : std::string_view());
  if (!sent.ok()) co_return sent;
  if (!at_once) {
    call_->BeginUpload();
    upload_ = Spawn(Upload(call_, body_, request.expects_continue),
                    "HTTP request body");
    if (!upload_.spawn_status().ok()) co_return upload_.spawn_status();
  }
  Task<absl::Status> read = call_->ReadHead();
  co_return co_await std::move(read);
}

Resend Http2Exchange::resend() const {
  if (call_->was_refused()) return Resend::kYes;
  return reused_ && connection_->ended() && !call_->head_done()
             ? Resend::kIfIdempotent
             : Resend::kNo;
}

void Http2Exchange::Finish() {
  upload_.Cancel();
  call_->Cut();
  place_.Release();
  if (pool_->closed) connection_->Retire();
}

}  // namespace ringway::http::internal
