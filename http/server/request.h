// SPDX-License-Identifier: Apache-2.0
//
// Request: what a handler is asked.
//
//   ringway::Task<absl::Status> Show(ringway::http::Request& request,
//                                    ringway::http::ResponseWriter& response) {
//     std::string text = absl::StrCat("user ", request.Param("id"), "\n");
//     co_return co_await response.Send(200, text);
//   }

#ifndef RINGWAY_HTTP_SERVER_REQUEST_H_
#define RINGWAY_HTTP_SERVER_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/http1/request_head.h"
#include "ringway/http/message/headers.h"
#include "ringway/http/message/method.h"
#include "ringway/http/message/target.h"
#include "ringway/http/server/exchange.h"
#include "ringway/net/socket_address.h"

namespace ringway::http {

class Router;

// Of the connection that it came on. Views are valid until the handler returns.
//
// Threads: the connection's worker's only.
class Request {
 public:
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  Method method() const { return head_.method; }
  Version version() const { return head_.version; }
  // As sent, percent-encoded: "/files/a%20b", and what follows its question
  // mark. The path of "OPTIONS *" is "*".
  std::string_view path() const { return head_.target.path; }
  std::string_view query() const { return head_.target.query; }
  // The host that is asked for, with its port if that was sent; empty if
  // HTTP/1.0 named none. That of the target goes before the Host field
  // (RFC 9112, section 3.2.2).
  std::string_view host() const {
    if (!head_.target.authority.empty()) return head_.target.authority;
    return head_.headers.Find("Host").value_or("");
  }
  const Headers& headers() const { return head_.headers; }
  // The client's address; of no family if the transport has none.
  const net::SocketAddress& peer() const { return exchange_.peer(); }
  // Whether it came by TLS.
  bool is_secure() const { return exchange_.is_secure(); }

  // The part of the path that matched ":name" or "*name" of the route, decoded;
  // empty if the route has no such part.
  std::string_view Param(std::string_view name) const {
    for (const auto& [param, value] : params_) {
      if (param == name) return value;
    }
    return {};
  }
  // The first value of `name` in the query, decoded.
  std::optional<std::string> QueryParam(std::string_view name) const {
    return FindInQuery(query(), name);
  }

  // Bytes of the body, if the client has said how many; 0 without a body.
  std::optional<uint64_t> content_length() const {
    if (head_.chunked) return std::nullopt;
    return head_.content_length.value_or(0);
  }

  // Reads from the body; a client that waits for "100 Continue" gets it at the
  // first call.
  //
  // Result:       bytes read, at least one; 0 at the end of the body.
  // Errors:       InvalidArgument: the client has sent something else than a
  //               body. OutOfRange: it has ended within it. ResourceExhausted:
  //               ServerOptions::max_body_bytes. DeadlineExceeded:
  //               ServerOptions::body_timeout. Those of the stream; Cancelled.
  //               A handler that returns with them need not answer: the right
  //               response is sent.
  // Ownership:    `to` must outlive the await.
  // Cancellation: as of the stream: nothing is lost, but the connection ends.
  // Cost:         a frame.
  Task<absl::StatusOr<size_t>> Read(std::span<std::byte> to) {
    return exchange_.ReadBody(to);
  }
  // The whole body, at most `limit_bytes`, else ResourceExhausted (413).
  // Otherwise as Read().
  Task<absl::StatusOr<std::string>> ReadAll(size_t limit_bytes);
  // What followed a chunked body; complete once Read() has returned 0.
  const Headers& trailers() const { return exchange_.trailers(); }

  // --- For the server.

  Request(RequestHead& head, internal::Exchange& exchange)
      : head_(head), exchange_(exchange) {}
  std::vector<std::pair<std::string_view, std::string>>& params() {
    return params_;
  }

 private:
  RequestHead& head_;
  internal::Exchange& exchange_;
  std::vector<std::pair<std::string_view, std::string>> params_;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_SERVER_REQUEST_H_
