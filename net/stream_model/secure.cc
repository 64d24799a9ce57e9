// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_model/secure.h"

#include <utility>

#include "absl/time/time.h"
#include "ringway/core/check.h"
#include "ringway/net/tls/testing/test_certificates.h"
#include "ringway/net/tls/tls_accept.h"
#include "ringway/net/tls/tls_connect.h"
#include "ringway/net/tls/tls_context.h"

namespace ringway::net::model {
namespace {

// No round may fail because the machine, or the simulated network, is slow.
constexpr absl::Duration kPatience = absl::Hours(1);

TlsContext ServerContext(TlsVersion version) {
  TlsServerOptions options = testing::TestServerOptions();
  options.min_version = version;
  options.max_version = version;
  options.handshake_timeout = kPatience;
  return testing::MakeServer(options);
}

TlsContext ClientContext() {
  TlsClientOptions options = testing::TestClientOptions();
  options.handshake_timeout = kPatience;
  return testing::MakeClient(options);
}

// Shared by all workers and rounds, so that sessions are resumed.
const TlsContext& ServerContextOf(Security security) {
  static const TlsContext tls12 = ServerContext(TlsVersion::kTls12);
  static const TlsContext tls13 = ServerContext(TlsVersion::kTls13);
  return security == Security::kTls12 ? tls12 : tls13;
}

}  // namespace

Task<absl::StatusOr<TlsStream>> Secure(Security security, size_t side,
                                       TcpStream transport) {
  RINGWAY_CHECK(security != Security::kNone, "the end has no TLS");
  if (side == 1)
    return AcceptTls(ServerContextOf(security), std::move(transport));
  static const TlsContext client = ClientContext();
  return ConnectTls(client, std::move(transport), testing::kTestHost);
}

}  // namespace ringway::net::model
