// SPDX-License-Identifier: Apache-2.0
//
// http::Server: answers the requests of connections, by HTTP/1.0 and 1.1.
//
//   ringway::http::Router router;
//   router.Get("/hello", Hello);
//   ringway::Runtime::Builder builder;
//   builder.Listen("127.0.0.1:8080",
//                  ringway::http::Server(std::move(router)));
//   return ringway::RunUntilSignal(builder);

#ifndef RINGWAY_HTTP_SERVER_SERVER_H_
#define RINGWAY_HTTP_SERVER_SERVER_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/server/handler.h"
#include "ringway/http/server/http1_connection.h"
#include "ringway/http/server/router.h"
#include "ringway/http/server/server_core.h"
#include "ringway/http/server/server_options.h"
#include "ringway/net/stream_concepts.h"

namespace ringway::http {

// A handler of connections, for Builder::Listen(), ListenTls() and whatever
// else has a stream. Copies share one router and its handlers.
//
// Draining: a connection that is being answered is told "Connection: close";
// one between requests stays for ServerOptions::drain_idle_time, so that the
// request that its client is just sending is answered, too.
//
// Threads: any.
class Server {
 public:
  // Aborts if `options` are out of range, see CheckServerOptions(), or another
  // server has their metrics_name.
  explicit Server(Router router, ServerOptions options = ServerOptions());
  // All requests, whatever their path.
  explicit Server(Handler handler, ServerOptions options = ServerOptions());

  // Serves one connection until it ends. Its status is for counters: the client
  // was told.
  template <net::ByteStream S>
  Task<absl::Status> operator()(S stream) const {
    return Serve(core_, std::move(stream));
  }

 private:
  template <net::ByteStream S>
  static Task<absl::Status> Serve(
      std::shared_ptr<const internal::ServerCore> core, S stream) {
    internal::Http1Connection<S> connection(std::move(core), std::move(stream));
    Task<absl::Status> serve = connection.Serve();
    co_return co_await std::move(serve);
  }

  std::shared_ptr<const internal::ServerCore> core_;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_SERVER_SERVER_H_
