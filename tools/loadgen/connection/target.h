// SPDX-License-Identifier: Apache-2.0
//
// Target: the server that the load is for, by TCP, a Unix stream or TLS.

#ifndef RINGWAY_TOOLS_LOADGEN_CONNECTION_TARGET_H_
#define RINGWAY_TOOLS_LOADGEN_CONNECTION_TARGET_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tcp.h"
#include "ringway/net/tls/tls_context.h"
#include "ringway/net/tls/tls_stream.h"

namespace ringway::loadgen {

struct TlsTarget {
  net::TlsContext context;
  std::string host;  // which the server's certificate must be for
  std::string alpn;  // not empty: the protocol that must be negotiated
};

struct Target {
  net::SocketAddress address;
  std::optional<TlsTarget> tls;  // none: TCP
};

// Opens a connection, with the handshake if `Stream` is net::TlsStream, for
// which `target.tls` must be there. `target` must outlive the await.
//
// Errors: those of net::Connect() and net::ConnectTls(); FailedPrecondition if
//         the server does not speak the protocol; DeadlineExceeded after
//         `patience`.
template <typename Stream>
Task<absl::StatusOr<Stream>> OpenStream(const Target& target,
                                        absl::Duration patience);

template <>
Task<absl::StatusOr<net::TcpStream>> OpenStream(const Target& target,
                                                absl::Duration patience);
template <>
Task<absl::StatusOr<net::TlsStream>> OpenStream(const Target& target,
                                                absl::Duration patience);

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_CONNECTION_TARGET_H_
