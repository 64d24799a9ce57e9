// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/http1_exchange.h"

#include <string_view>

#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"
#include "ringway/http/client/upload.h"

namespace ringway::http::internal {

Http1Exchange::~Http1Exchange() {
  if (lease_.connection == nullptr) return;
  upload_.Cancel();
  lease_.connection->Cut();
}

Task<absl::Status> Http1Exchange::Start(const OutgoingRequest& request,
                                        std::shared_ptr<RequestBody> body,
                                        MonotonicTime deadline) {
  connection().set_deadline(deadline);
  Task<absl::Status> exchange = SendAndRead(request, std::move(body));
  absl::Status done = co_await std::move(exchange);
  if (done.ok()) co_return done;
  if (lease_.reused && !connection().response_begun() &&
      (absl::IsUnavailable(done) || absl::IsDataLoss(done))) {
    resend_ = Resend::kIfIdempotent;  // it was closed while it was idle
  }
  // The function of the body uses what the caller has.
  const Shield shield;
  upload_.Cancel();
  connection().Cut();
  if (upload_.valid()) (co_await upload_).IgnoreError();
  co_return done;
}

Task<absl::Status> Http1Exchange::SendAndRead(
    const OutgoingRequest& request, std::shared_ptr<RequestBody> body) {
  const bool is_inline = !body->write && !request.expects_continue &&
                         body->bytes.size() <= kInlineBytes;
  Task<absl::Status> send = connection().Send(
      request, is_inline ? std::string_view(body->bytes) : std::string_view());
  absl::Status sent = co_await std::move(send);
  if (!sent.ok()) co_return sent;
  if (!is_inline) {
    connection().BeginUpload();
    upload_ = Spawn(
        Upload(lease_.connection, std::move(body), request.expects_continue),
        "HTTP request body");
    if (!upload_.spawn_status().ok()) co_return upload_.spawn_status();
  }
  Task<absl::Status> read = connection().ReadHead();
  co_return co_await std::move(read);
}

void Http1Exchange::Finish() {
  upload_.Cancel();
  Http1Lease lease = std::move(lease_);
  if (lease.connection->reusable()) {
    PoolHost::Return(std::move(lease));
  } else {
    lease.connection->Cut();
  }
}

}  // namespace ringway::http::internal
