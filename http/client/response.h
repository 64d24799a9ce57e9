// SPDX-License-Identifier: Apache-2.0
//
// Response: what a server has answered. Its body is read from the connection.
//
//   absl::StatusOr<http::Response> response = co_await client.Get(url);
//   if (!response.ok()) co_return response.status();
//   if (response->status_code() != 200) ...
//   absl::StatusOr<std::string> body = co_await response->ReadAll(1 << 20);

#ifndef RINGWAY_HTTP_CLIENT_RESPONSE_H_
#define RINGWAY_HTTP_CLIENT_RESPONSE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/client/client_exchange.h"
#include "ringway/http/http1/received_response.h"
#include "ringway/http/message/headers.h"

namespace ringway::http {

// Move-only; must stay where it is while it is read. One that is read to its
// end gives its connection back to the client; one that is dropped before ends
// the connection by HTTP/1, and the stream by HTTP/2. May outlive its client,
// and its loop.
//
// Threads: the client's only.
class Response {
 public:
  Response(Response&&) = default;
  Response& operator=(Response&&) = default;

  int status_code() const { return head_.status_code; }
  Version version() const { return head_.version; }
  const Headers& headers() const { return head_.headers; }
  // Where it comes from, after redirects.
  const std::string& url() const { return url_; }
  // Bytes of the body, if the server has said how many; also for HEAD.
  std::optional<uint64_t> content_length() const {
    return head_.content_length;
  }

  // Reads from the body.
  //
  // Result:       bytes read, at least one; 0 at the end of the body, or if
  //               `to` is empty.
  // Errors:       OutOfRange: the server has ended within it. DataLoss: it is
  //               malformed. DeadlineExceeded: ClientOptions::body_timeout or
  //               request_timeout. ResourceExhausted: the limits of trailers.
  //               Unavailable and others of the connection; what write_body has
  //               returned. FailedPrecondition: it has failed before, or its
  //               loop has ended. Cancelled.
  // Ownership:    `to` must outlive the await.
  // Cancellation: nothing is lost; it may go on.
  // Cost:         frames.
  Task<absl::StatusOr<size_t>> Read(std::span<std::byte> to);
  // The rest of the body, at most `limit_bytes`, else ResourceExhausted.
  // Otherwise as Read().
  Task<absl::StatusOr<std::string>> ReadAll(size_t limit_bytes);
  // What followed the body; complete once Read() has returned 0.
  const Headers& trailers() const { return trailers_; }

  // --- For the client. `exchange` has its head.
  Response(std::unique_ptr<internal::ClientExchange> exchange, std::string url);

 private:
  // Gives the connection back if all has come.
  void FinishIfDone();

  ReceivedResponse head_;
  Headers trailers_;
  std::string url_;
  std::unique_ptr<internal::ClientExchange> exchange_;  // until it is done
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_CLIENT_RESPONSE_H_
