// SPDX-License-Identifier: Apache-2.0
//
// ClientExchange: one request and its response on a connection of a pool,
// whatever the protocol. RequestBody: what the request brings.

#ifndef RINGWAY_HTTP_CLIENT_CLIENT_EXCHANGE_H_
#define RINGWAY_HTTP_CLIENT_CLIENT_EXCHANGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/client/body_writer.h"
#include "ringway/http/http1/received_response.h"
#include "ringway/http/http1/request_text.h"
#include "ringway/http/message/headers.h"

namespace ringway::http::internal {

// Shared by the request, which may be sent again, and the task that sends it.
struct RequestBody {
  std::string bytes;
  BodyFunction write;  // instead, if there is one
  bool begun = false;  // `write` was called, so that it cannot be sent again

  bool empty() const { return bytes.empty() && !write; }
};

// Writes all of a body; `trailers` gets those of its function. What that
// throws is Internal.
Task<absl::Status> WriteAll(RequestBody& body, BodySink& sink,
                            Headers& trailers);

// Whether a request that has got no response may be sent again.
enum class Resend : uint8_t {
  kNo,
  kIfIdempotent,  // the server may have done what it was asked
  kYes,           // it has not
};

class ClientExchange {
 public:
  // Of one that is not done(), ends the request: the connection by HTTP/1, the
  // stream by HTTP/2.
  virtual ~ClientExchange() = default;

  // Sends the request and waits for the head of its response. Once.
  virtual Task<absl::Status> Start(const OutgoingRequest& request,
                                   std::shared_ptr<RequestBody> body,
                                   MonotonicTime deadline) = 0;
  // After Start() has failed.
  virtual Resend resend() const = 0;

  virtual ReceivedResponse& head() = 0;
  virtual Task<absl::StatusOr<size_t>> ReadBody(std::span<std::byte> to) = 0;
  // All of the response has come; then Finish() gives the connection back, and
  // nothing else is called.
  virtual bool done() const = 0;
  virtual Headers& trailers() = 0;
  virtual void Finish() = 0;
};

}  // namespace ringway::http::internal

#endif  // RINGWAY_HTTP_CLIENT_CLIENT_EXCHANGE_H_
