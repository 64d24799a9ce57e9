// SPDX-License-Identifier: Apache-2.0
//
// AcceptTls: makes a TLS stream of an accepted connection.
//
//   absl::StatusOr<net::TlsStream> stream =
//       co_await net::AcceptTls(context, std::move(connection));
//   if (!stream.ok()) co_return stream.status();

#ifndef RINGWAY_NET_TLS_TLS_ACCEPT_H_
#define RINGWAY_NET_TLS_TLS_ACCEPT_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/executor/remote/pooled.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/stream_concepts.h"
#include "ringway/net/tls/stream/handshake.h"
#include "ringway/net/tls/tls_context.h"
#include "ringway/net/tls/tls_stream.h"

namespace ringway::net {

// Performs the handshake of a server. `context` must be one of a server
// (checked).
//
// Errors:       Unauthenticated: the client's certificate was not accepted;
//               with the reason and its name. Aborted: the client has sent an
//               alert, or does not speak TLS. DataLoss: it has closed its side.
//               DeadlineExceeded after TlsServerOptions::handshake_timeout.
//               ResourceExhausted beyond max_handshakes: a newer one has taken
//               the place of this one, which had waited longest for its
//               client. Those of the transport. The client is told why, and the
//               transport closed.
// Threads:      a task's.
// Cancellation: closes the transport.
// Cost:         a transport write for each flight. Signatures by RSA keys are
//               made on the pool of RunBlocking(), if that has room.
template <ByteStream S>
Task<absl::StatusOr<BasicTlsStream<S>>> AcceptTls(TlsContext context,
                                                  S transport) {
  internal::ContextState& state = internal::TlsContextAccess::Of(context);
  RINGWAY_CHECK(state.is_server(), "AcceptTls() with a client's context");
  internal::ServerHandshake<S> place(state.max_handshakes());
  if (!place.taken()) {
    state.shared().counters.CountRefusal();
    co_return absl::ResourceExhaustedError(absl::StrCat(
        "TLS: ", state.max_handshakes(),
        " handshakes are in progress on this worker, and none "
        "waits for its client (TlsServerOptions::max_handshakes)"));
  }
  std::shared_ptr<const internal::LoadedContext> loaded = state.loaded();
  std::unique_ptr<internal::TlsEngine> engine = loaded->MakeServerEngine();
  if (state.offload_rsa()) engine->PauseAtHello();
  auto core = ringway::internal::MakePooled<internal::TlsCore<S>>(
      std::move(loaded), std::move(engine), std::move(transport));
  BasicTlsStream<S> stream(core);
  place.set_core(core);
  Task<absl::Status> handshake = internal::CountedHandshake(
      std::move(core), state.handshake_timeout(), "TLS handshake", &place);
  absl::Status done = co_await std::move(handshake);
  if (!done.ok()) co_return done;
  co_return std::move(stream);
}

}  // namespace ringway::net

#endif  // RINGWAY_NET_TLS_TLS_ACCEPT_H_
