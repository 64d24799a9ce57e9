// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/new_connection.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/executor.h"
#include "ringway/http/client/http1_client_connection.h"
#include "ringway/http/client/http2/http2_client_connection.h"
#include "ringway/net/resolver/connect_host.h"
#include "ringway/net/resolver/system_resolver.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/tls/tls_connect.h"

namespace ringway::http::internal {

namespace {

// Keeps the options that the connection refers to.
template <typename S>
struct Http1WithOptions {
  Http1WithOptions(std::shared_ptr<const ClientOptions> o, S stream)
      : options(std::move(o)), connection(*options, std::move(stream)) {}

  const std::shared_ptr<const ClientOptions> options;
  Http1ClientConnection<S> connection;
};

template <typename S>
NewConnection MakeHttp1(std::shared_ptr<const ClientOptions> options,
                        S stream) {
  auto made = std::make_shared<Http1WithOptions<S>>(std::move(options),
                                                    std::move(stream));
  Http1ClientState* state = &made->connection;
  NewConnection connection;
  connection.http1 = std::shared_ptr<Http1ClientState>(std::move(made), state);
  return connection;
}

template <typename S>
absl::StatusOr<NewConnection> MakeHttp2(
    std::shared_ptr<const ClientOptions> options, S stream) {
  absl::StatusOr<std::shared_ptr<Http2ClientState>> started =
      Http2ClientConnection<S>::Start(std::move(options), std::move(stream));
  if (!started.ok()) return started.status();
  NewConnection connection;
  connection.http2 = *std::move(started);
  return connection;
}

Task<absl::StatusOr<net::TcpStream>> ConnectTo(const ClientOptions& options,
                                               std::string host,
                                               uint16_t port) {
  if (options.connect_to.has_value())
    co_return co_await net::Connect(*options.connect_to, options.connect);
  net::Resolver& resolver =
      options.resolver != nullptr ? *options.resolver : net::DefaultResolver();
  Task<absl::StatusOr<net::TcpStream>> connect = net::ConnectToHost(
      resolver, std::move(host), port, net::kConnectStagger, options.connect);
  co_return co_await std::move(connect);
}

Task<absl::StatusOr<NewConnection>> ConnectAndAgree(
    std::shared_ptr<const ClientOptions> options, Url url) {
  Task<absl::StatusOr<net::TcpStream>> connect =
      ConnectTo(*options, url.host, url.port);
  absl::StatusOr<net::TcpStream> stream = co_await std::move(connect);
  if (!stream.ok()) co_return stream.status();
  if (!url.secure) {
    if (options->http2_prior_knowledge)
      co_return MakeHttp2(std::move(options), *std::move(stream));
    co_return MakeHttp1(std::move(options), *std::move(stream));
  }
  std::string session_key = absl::StrCat(url.host, ":", url.port);
  Task<absl::StatusOr<net::TlsStream>> handshake =
      net::ConnectTls(*options->tls, *std::move(stream), std::move(url.host),
                      std::move(session_key));
  absl::StatusOr<net::TlsStream> secure = co_await std::move(handshake);
  if (!secure.ok()) co_return secure.status();
  if (secure->info().alpn == "h2")
    co_return MakeHttp2(std::move(options), *std::move(secure));
  co_return MakeHttp1(std::move(options), *std::move(secure));
}

}  // namespace

Task<absl::StatusOr<NewConnection>> MakeConnection(
    std::shared_ptr<const ClientOptions> options, Url url,
    MonotonicTime deadline) {
  if (url.secure && !options->tls.has_value()) {
    co_return absl::FailedPreconditionError(
        absl::StrCat("https needs ClientOptions::tls: ", url.ToString()));
  }
  const MonotonicTime limit = CurrentLoop().now() + options->connect_timeout;
  const std::string where = url.authority;
  Task<absl::StatusOr<NewConnection>> make =
      WithDeadline(std::min(limit, deadline),
                   ConnectAndAgree(std::move(options), std::move(url)));
  absl::StatusOr<NewConnection> made = co_await std::move(make);
  if (absl::IsDeadlineExceeded(made.status())) {
    co_return absl::DeadlineExceededError(
        absl::StrCat(where, " has exceeded ClientOptions::",
                     deadline < limit ? "request_timeout" : "connect_timeout",
                     ": ", made.status().message()));
  }
  co_return made;
}

}  // namespace ringway::http::internal
