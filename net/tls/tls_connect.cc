// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/tls_connect.h"

namespace ringway::net {

Task<absl::StatusOr<TlsStream>> ConnectTls(TlsContext context,
                                           Resolver& resolver, std::string host,
                                           uint16_t port,
                                           ConnectOptions options) {
  Task<absl::StatusOr<TcpStream>> connect =
      ConnectToHost(resolver, host, port, kConnectStagger, std::move(options));
  absl::StatusOr<TcpStream> connected = co_await std::move(connect);
  if (!connected.ok()) co_return connected.status();
  std::string session_key = absl::StrCat(host, ":", port);
  Task<absl::StatusOr<TlsStream>> handshake =
      ConnectTls(std::move(context), *std::move(connected), std::move(host),
                 std::move(session_key));
  co_return co_await std::move(handshake);
}

}  // namespace ringway::net
