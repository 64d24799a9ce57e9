// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/http1_exchange.h"

#include <string_view>

#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/shield.h"

namespace ringway::http::internal {

namespace {

Task<absl::Status> SendAll(Http1ClientState& connection, RequestBody& body,
                           bool waits) {
  if (waits) {
    Task<absl::StatusOr<bool>> wait = connection.WaitToContinue();
    const absl::StatusOr<bool> wanted = co_await std::move(wait);
    if (!wanted.ok()) co_return wanted.status();
    if (!*wanted) co_return absl::OkStatus();
  }
  Headers trailers;
  Task<absl::Status> write = WriteAll(body, connection, trailers);
  absl::Status written = co_await std::move(write);
  if (!written.ok()) co_return written;
  Task<absl::Status> end = connection.EndBody(trailers);
  co_return co_await std::move(end);
}

// Keeps what it uses: the exchange may end before.
Task<void> Upload(std::shared_ptr<Http1ClientState> connection,
                  std::shared_ptr<RequestBody> body, bool waits) {
  Task<absl::Status> send = SendAll(*connection, *body, waits);
  absl::Status sent = co_await std::move(send);
  connection->EndUpload(std::move(sent));
}

}  // namespace

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
