// SPDX-License-Identifier: Apache-2.0
//
// TlsHandler: the handler of a TLS listener.
//
//   builder.Listen("0.0.0.0:443", net::TlsHandler(*context, Serve));

#ifndef RINGWAY_NET_TLS_TLS_HANDLER_H_
#define RINGWAY_NET_TLS_TLS_HANDLER_H_

#include <functional>

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/net/tls/tls_context.h"
#include "ringway/net/tls/tls_stream.h"

namespace ringway::net {

// A function for Runtime::Builder::Listen(): performs the handshake by
// `context`, one of a server (checked), and calls `handler`, whose status is
// its own. A handshake that fails is the connection's status: see AcceptTls().
// Limits and drains count the connection, as without TLS, from its acceptance
// until the handler's stream is closed.
//
// Threads: any; the function may be called on several at a time, and so
//          `handler`.
std::function<Task<absl::Status>(TcpStream)> TlsHandler(
    TlsContext context, std::function<Task<absl::Status>(TlsStream)> handler);

}  // namespace ringway::net

#endif  // RINGWAY_NET_TLS_TLS_HANDLER_H_
