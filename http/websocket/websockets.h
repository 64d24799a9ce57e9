// SPDX-License-Identifier: Apache-2.0
//
// WebSockets: a handler of requests that makes WebSockets of them.
//
//   router.Get("/chat", ringway::http::WebSockets(Chat));

#ifndef RINGWAY_HTTP_WEBSOCKET_WEBSOCKETS_H_
#define RINGWAY_HTTP_WEBSOCKET_WEBSOCKETS_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/server/request.h"
#include "ringway/http/server/response_writer.h"
#include "ringway/http/websocket/websocket.h"
#include "ringway/http/websocket/websocket_options.h"

namespace ringway::http {

// Serves one socket until it ends. When it has returned, the socket is closed:
// with kNormal after OK, else with kInternalError. No task of it may use the
// socket any longer.
using WebSocketHandler =
    std::function<Task<absl::Status>(Request& request, WebSocket& socket)>;

// Answers a request for a WebSocket with 101, and others with 426, 400, or 403
// for a page of another origin. A handler that has to look at a request before
// may call this as a function. ServerOptions::request_timeout ends with the
// 101.
//
// HTTP/1.1 only. Copies share the handler and the options.
//
// Threads: any.
class WebSockets {
 public:
  // Aborts if `options` are out of range, see CheckWebSocketOptions().
  explicit WebSockets(WebSocketHandler handler,
                      WebSocketOptions options = WebSocketOptions());

  Task<absl::Status> operator()(Request& request,
                                ResponseWriter& response) const;

 private:
  struct Shared {
    WebSocketHandler handler;
    WebSocketOptions options;
  };

  static Task<absl::Status> Serve(std::shared_ptr<const Shared> shared,
                                  Request& request, ResponseWriter& response);

  std::shared_ptr<const Shared> shared_;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_WEBSOCKET_WEBSOCKETS_H_
