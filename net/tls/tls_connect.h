// SPDX-License-Identifier: Apache-2.0
//
// ConnectTls: makes a TLS stream to a server.
//
//   absl::StatusOr<net::TlsStream> stream =
//       co_await net::ConnectTls(context, resolver, "example.org", 443);
//   if (!stream.ok()) co_return stream.status();

#ifndef RINGWAY_NET_TLS_TLS_CONNECT_H_
#define RINGWAY_NET_TLS_TLS_CONNECT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/executor/remote/pooled.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/connect.h"
#include "ringway/net/resolver/connect_host.h"
#include "ringway/net/resolver/resolver.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/tls/stream/handshake.h"
#include "ringway/net/tls/tls_context.h"
#include "ringway/net/tls/tls_stream.h"

namespace ringway::net {

// Performs the handshake of a client over a connection to `host`, a name or an
// IP address, which the server's certificate must be for. `context` must be one
// of a client (checked). An earlier session under `session_key` is resumed;
// empty: that of `host`.
//
// Errors:       Unauthenticated: the server's certificate was not accepted;
//               with the reason and its name. Aborted: the server has sent an
//               alert, or does not speak TLS. DataLoss: it has closed its side.
//               DeadlineExceeded after TlsClientOptions::handshake_timeout.
//               InvalidArgument: `host`. Those of the transport. The message
//               names the host.
// Threads:      a task's.
// Cancellation: closes the transport.
// Cost:         a transport write for each flight.
template <ByteStream S>
Task<absl::StatusOr<BasicTlsStream<S>>> ConnectTls(
    TlsContext context, S transport, std::string host,
    std::string session_key = std::string()) {
  internal::ContextState& state = internal::TlsContextAccess::Of(context);
  RINGWAY_CHECK(!state.is_server(), "ConnectTls() with a server's context");
  std::shared_ptr<const internal::LoadedContext> loaded = state.loaded();
  if (session_key.empty()) session_key = host;
  absl::StatusOr<std::unique_ptr<internal::TlsEngine>> engine =
      loaded->MakeClientEngine(host, std::move(session_key));
  if (!engine.ok()) co_return engine.status();
  auto core = ringway::internal::MakePooled<internal::TlsCore<S>>(
      std::move(loaded), *std::move(engine), std::move(transport));
  BasicTlsStream<S> stream(core);
  Task<absl::Status> handshake =
      internal::CountedHandshake(std::move(core), state.handshake_timeout(),
                                 absl::StrCat("TLS handshake with ", host));
  absl::Status done = co_await std::move(handshake);
  if (!done.ok()) co_return done;
  co_return std::move(stream);
}

// Connects to the address of `host` that answers first (ConnectToHost()), and
// performs the handshake. Sessions are kept for host and port. `resolver` must
// outlive the await.
//
// Errors: those of ConnectToHost() and of ConnectTls() above.
Task<absl::StatusOr<TlsStream>> ConnectTls(
    TlsContext context, Resolver& resolver, std::string host, uint16_t port,
    ConnectOptions options = ConnectOptions());

}  // namespace ringway::net

#endif  // RINGWAY_NET_TLS_TLS_CONNECT_H_
