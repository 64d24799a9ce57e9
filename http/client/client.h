// SPDX-License-Identifier: Apache-2.0
//
// http::Client: sends requests to servers, by HTTP/1.1 and 2, over connections
// that it keeps.
//
//   http::Client client;
//   absl::StatusOr<http::Response> response =
//       co_await client.Get("http://127.0.0.1:8080/hello");
//   if (!response.ok()) co_return response.status();
//   absl::StatusOr<std::string> body = co_await response->ReadAll(1 << 20);

#ifndef RINGWAY_HTTP_CLIENT_CLIENT_H_
#define RINGWAY_HTTP_CLIENT_CLIENT_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/client/client_options.h"
#include "ringway/http/client/client_request.h"
#include "ringway/http/client/pool_state.h"
#include "ringway/http/client/response.h"

namespace ringway::http {

namespace internal {
class Pool;
}  // namespace internal

// One for each worker: that of its first request. Move-only. Destroying it
// closes the idle connections; requests and responses go on, and their
// connections are closed after them.
//
// A connection of HTTP/1.1 is kept after each response that was read to its
// end, and closed when the server closes it. If a server has closed one at the
// moment that it was used again, an idempotent request (GET, HEAD, PUT, DELETE,
// OPTIONS, TRACE) is sent once more, on a new connection; so is by HTTP/2 any
// request that the server says it has not looked at. That is not done with a
// write_body that has begun.
class Client {
 public:
  // Aborts if `options` are out of range, see CheckClientOptions().
  explicit Client(ClientOptions options = ClientOptions());
  Client(Client&&) = default;
  Client& operator=(Client&& other) noexcept;
  ~Client();

  // Sends a request and waits for the head of its response, whatever its status
  // code.
  //
  // Errors:       InvalidArgument: the URL, or what cannot be sent (see
  //               ClientRequest). FailedPrecondition: https without
  //               ClientOptions::tls; a redirect that cannot be followed.
  //               DeadlineExceeded, with the name of the option.
  //               ResourceExhausted: a limit, with its name. Unavailable: no
  //               connection, or it was closed before the response.
  //               OutOfRange: within its head. DataLoss: what has come is no
  //               HTTP. Others of resolving, connecting and TLS, and what
  //               write_body has returned. Cancelled.
  // Threads:      the client's worker's only (checked), in a task.
  // Cancellation: ends the request: its connection by HTTP/1, its stream by
  //               HTTP/2. Other requests go on.
  // Cost:         frames, and some small allocations; Http1ClientConnection has
  //               none.
  Task<absl::StatusOr<Response>> Send(ClientRequest request);
  Task<absl::StatusOr<Response>> Get(std::string url) {
    return Send(ClientRequest(Method::kGet, std::move(url)));
  }

  ClientStatistics statistics() const;

 private:
  std::shared_ptr<internal::Pool> pool_;  // null once moved from
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_CLIENT_CLIENT_H_
