// SPDX-License-Identifier: Apache-2.0
//
// The certificates of the tests (make_certificates.sh), and options with them.

#ifndef RINGWAY_NET_TLS_TESTING_TEST_CERTIFICATES_H_
#define RINGWAY_NET_TLS_TESTING_TEST_CERTIFICATES_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ringway/net/tls/tls_context.h"
#include "ringway/net/tls/tls_options.h"

namespace ringway::net::testing {

// What most certificates of the tests are for.
inline constexpr char kTestHost[] = "server.test";

// The path of a file, "server.pem".
std::string CertificateFile(std::string_view file);

// "server", "server_rsa", "wildcard" (*.example.test, example.test), "exact"
// (www.example.test), "client", "stranger" (of another authority), "expired".
TlsCertificate TestCertificate(std::string_view name);

// With the certificate "server".
TlsServerOptions TestServerOptions();
// With the authority of the tests as root.
TlsClientOptions TestClientOptions();

// The context, or aborts with the status.
TlsContext MakeServer(const TlsServerOptions& options = TestServerOptions());
TlsContext MakeClient(const TlsClientOptions& options = TestClientOptions());

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TLS_TESTING_TEST_CERTIFICATES_H_
