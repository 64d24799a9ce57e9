// SPDX-License-Identifier: Apache-2.0
//
// MakeAdminHandler: a connection handler that serves the state of a server over
// HTTP/1.1: its metrics, whether it is alive and ready, and what its tasks do.
//
//   AdminPages pages;
//   pages.metrics = [] { return Metrics(); };
//   builder.Listen("127.0.0.1:9090", MakeAdminHandler(std::move(pages)));
//
// It serves GET and HEAD of these paths and knows no more of HTTP than that. It
// asks no client who it is: listen on an address that only the machine or its
// network can reach.

#ifndef RINGWAY_RUNTIME_ADMIN_ADMIN_HANDLER_H_
#define RINGWAY_RUNTIME_ADMIN_ADMIN_HANDLER_H_

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/tcp.h"

namespace ringway {

// Makes a page. An error is answered with 503, or 500 if it is of another code
// than Unavailable, ResourceExhausted, DeadlineExceeded and Cancelled; so is an
// exception.
using AdminPage = std::function<Task<absl::StatusOr<std::string>>()>;

// What the pages show. Called on the worker that serves the connection, so
// possibly on several threads at the same time. A page without a function does
// not exist (404), except that a server without `ready` is ready.
struct AdminPages {
  AdminPages() {}

  // /metrics, in the Prometheus text format (MetricsPage()).
  AdminPage metrics;
  // /readyz: 200, or 503 if false. While it is false, connections are closed
  // after each answer. Must not throw.
  std::function<bool()> ready;
  // /tasks, as plain text (TasksPage()).
  AdminPage tasks;
};

struct AdminOptions {
  AdminOptions() {}

  // How long a client may take for a request, counted from the end of the
  // answer before it. At the end an idle connection is closed, and one with a
  // part of a request is answered with 408. At least a nanosecond.
  absl::Duration request_timeout = absl::Seconds(5);
  // How long a page may take, and then the client to receive it. At least a
  // nanosecond.
  absl::Duration response_timeout = absl::Seconds(5);
};

// InvalidArgument with the option and its limits if one is out of range.
absl::Status CheckAdminOptions(const AdminOptions& options);

// The most bytes of the request line and the header together; more are answered
// with 414 or 431.
inline constexpr size_t kMostAdminRequestBytes = 8 * 1024;

// Its status: OK if the connection has ended in any way that HTTP has, even
// after a bad request, or because it was idle; DeadlineExceeded if the client
// does not receive the answer; Cancelled; and the errors of the stream.
using AdminHandler = std::function<Task<absl::Status>(net::TcpStream)>;

// `options` must be valid (checked). The pages live as long as the handler, its
// copies and their connections. A page that takes too long is cancelled; if it
// then ends as cancelled, the answer is 503.
//
// A request with a body is answered, and the connection closed. Every
// connection is closed gracefully, so that the answer arrives.
//
// Threads: any; the handler may be called on several.
AdminHandler MakeAdminHandler(AdminPages pages,
                              const AdminOptions& options = AdminOptions());

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_ADMIN_ADMIN_HANDLER_H_
