// SPDX-License-Identifier: Apache-2.0
//
// http::Server: answers the requests of connections, by HTTP/1.0, 1.1 and 2.
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
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"
#include "ringway/http/server/handler.h"
#include "ringway/http/server/http1/http1_connection.h"
#include "ringway/http/server/http2/http2_connection.h"
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
// request that its client is just sending is answered, too. By HTTP/2 a client
// gets GOAWAY, and what it sends until it has read that is answered.
//
// A connection is HTTP/2 if its client begins with the preface of HTTP/2, or if
// TLS has agreed on "h2": offer that by TlsServerOptions::alpn, as
// {"h2", "http/1.1", "http/1.0"}. "Upgrade: h2c" is ignored (RFC 9113, section
// 3.1) unless ServerOptions::h2c_upgrade is set.
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
    if (HasAgreedOnHttp2(stream)) {
      Task<absl::Status> serve = BeginHttp2(std::move(core), std::move(stream));
      co_return co_await std::move(serve);
    }
    std::optional<internal::Http1Connection<S>> http1;
    http1.emplace(core, std::move(stream));
    Task<absl::Status> serve = http1->Serve();
    absl::Status served = co_await std::move(serve);
    if (!http1->is_http2()) co_return served;
    Task<absl::Status> serve_http2 =
        ServeHttp2(std::move(core), http1->TakeStream(), http1->TakeReader(),
                   http1->TakeUpgrade());
    http1.reset();
    co_return co_await std::move(serve_http2);
  }

  template <net::ByteStream S>
  static Task<absl::Status> BeginHttp2(
      std::shared_ptr<const internal::ServerCore> core, S stream) {
    typename internal::Http2Connection<S>::Reader in(
        stream.reader(), internal::Http2Connection<S>::kReadBytes);
    return ServeHttp2(std::move(core), std::move(stream), std::move(in),
                      nullptr);
  }

  // A frame of its own, so that HTTP/1 does without its memory.
  template <net::ByteStream S>
  static Task<absl::Status> ServeHttp2(
      std::shared_ptr<const internal::ServerCore> core, S stream,
      typename internal::Http2Connection<S>::Reader in,
      std::unique_ptr<internal::UpgradeRequest> upgrade) {
    internal::Http2Connection<S> connection(std::move(core), std::move(stream),
                                            std::move(in));
    Task<absl::Status> serve = connection.Serve(std::move(upgrade));
    co_return co_await std::move(serve);
  }

  template <net::ByteStream S>
  static bool HasAgreedOnHttp2(const S& stream) {
    if constexpr (requires { stream.info().alpn; })
      return stream.info().alpn == "h2";
    return false;
  }

  std::shared_ptr<const internal::ServerCore> core_;
};

}  // namespace ringway::http

#endif  // RINGWAY_HTTP_SERVER_SERVER_H_
