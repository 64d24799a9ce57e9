// SPDX-License-Identifier: Apache-2.0
//
// ClientTlsTest: for tests of clients of an http::Server by TLS, on every
// backend.

#ifndef RINGWAY_HTTP_CLIENT_TESTING_CLIENT_TLS_FIXTURE_H_
#define RINGWAY_HTTP_CLIENT_TESTING_CLIENT_TLS_FIXTURE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ringway/http/client/client_options.h"
#include "ringway/http/client/testing/client_fixture.h"
#include "ringway/net/resolver/fixed_resolver.h"
#include "ringway/net/tls/testing/test_certificates.h"
#include "ringway/net/tls/tls_handler.h"

namespace ringway::http::testing {

class ClientTlsTest : public ClientTest {
 protected:
  // As kTestHost.
  void ServeTls(Handler handler, std::vector<std::string> alpn = {}) {
    net::TlsServerOptions options = net::testing::TestServerOptions();
    options.alpn = std::move(alpn);
    const Server server(std::move(handler));
    Make(net::TlsHandler(net::testing::MakeServer(options), server));
    resolver_.Add(net::testing::kTestHost, address());
  }

  ClientOptions Options(std::vector<std::string> alpn = {}) {
    net::TlsClientOptions tls = net::testing::TestClientOptions();
    tls.alpn = std::move(alpn);
    ClientOptions options;
    options.tls = net::testing::MakeClient(tls);
    options.resolver = &resolver_;
    return options;
  }

  std::string SecureUrl(std::string_view path,
                        std::string_view scheme = "https") const {
    return absl::StrCat(scheme, "://", net::testing::kTestHost, ":",
                        address().port(), path);
  }

  net::FixedResolver resolver_;
};

}  // namespace ringway::http::testing

#endif  // RINGWAY_HTTP_CLIENT_TESTING_CLIENT_TLS_FIXTURE_H_
