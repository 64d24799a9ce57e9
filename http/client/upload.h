// SPDX-License-Identifier: Apache-2.0
//
// Upload: the task that sends the body of a request beside its response.

#ifndef RINGWAY_HTTP_CLIENT_UPLOAD_H_
#define RINGWAY_HTTP_CLIENT_UPLOAD_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/client/client_exchange.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

// `To` is a Http1ClientState or Http2Call. `waits`: for a "100 Continue".
template <typename To>
Task<absl::Status> SendAll(To& to, RequestBody& body, bool waits) {
  if (waits) {
    Task<absl::StatusOr<bool>> wait = to.WaitToContinue();
    const absl::StatusOr<bool> wanted = co_await std::move(wait);
    if (!wanted.ok()) co_return wanted.status();
    if (!*wanted) co_return absl::OkStatus();
  }
  Headers trailers;
  Task<absl::Status> write = WriteAll(body, to, trailers);
  absl::Status written = co_await std::move(write);
  if (!written.ok()) co_return written;
  Task<absl::Status> end = to.EndBody(trailers);
  co_return co_await std::move(end);
}

// Keeps what it uses: the exchange may end before.
template <typename To>
Task<void> Upload(std::shared_ptr<To> to, std::shared_ptr<RequestBody> body,
                  bool waits) {
  Task<absl::Status> send = SendAll(*to, *body, waits);
  absl::Status sent = co_await std::move(send);
  to->EndUpload(std::move(sent));
}

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_CLIENT_UPLOAD_H_
