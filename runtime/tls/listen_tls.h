// SPDX-License-Identifier: Apache-2.0
//
// What RuntimeBuilder::ListenTls() needs: listeners whose handlers get a TLS
// stream.
//
//   auto context = ringway::net::TlsContext::Server(options);
//   if (!context.ok()) return Complain(context.status());
//   ringway::Runtime::Builder builder;
//   builder.ListenTls("[::]:443", *context, Echo);
//
// A target of its own, because it links OpenSSL, which a runtime without TLS
// does not need.

#ifndef RINGWAY_RUNTIME_TLS_LISTEN_TLS_H_
#define RINGWAY_RUNTIME_TLS_LISTEN_TLS_H_

#include <functional>
#include <string_view>

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/tls/tls_context.h"
#include "ringway/net/tls/tls_stream.h"
#include "ringway/runtime/runtime_builder.h"

namespace ringway {

// Serves one connection after its handshake; as ConnectionHandler.
using TlsConnectionHandler = std::function<Task<absl::Status>(net::TlsStream)>;

// As RuntimeBuilder::Listen() with net::TlsHandler(context, handler): the
// handshake is the first part of the connection's task. So limits, drains and
// logs of connections count it; it ends by TlsServerOptions::handshake_timeout,
// and beyond max_handshakes the one that has waited longest for its client
// ends. A handshake that fails ends its connection with its status, and nothing
// else. What TlsContext::Reload() reads counts for later handshakes.
//
// The pages of RuntimeBuilder::Metrics() have the context's TlsStatistics, once
// for listeners that share it. Listeners with different contexts must have
// different names (ListenerOptions::name), or Launch() fails.
//
// `context` must be one of a server (checked). Sockets of ListenFd() and
// listeners of a Server take a net::TlsHandler(), without these metrics.
void AddTlsListener(RuntimeBuilder& builder, std::string_view address,
                    const net::TlsContext& context,
                    TlsConnectionHandler handler,
                    const ListenerOptions& options);

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_TLS_LISTEN_TLS_H_
