// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/testing/test_certificates.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "ringway/core/check.h"
#include "ringway/net/tls/testing/kernel_has_tls.h"

namespace ringway::net::testing {
namespace {

TlsContext ValueOf(absl::StatusOr<TlsContext> context) {
  RINGWAY_CHECK(context.ok(), "%s", context.status().ToString().c_str());
  return *std::move(context);
}

}  // namespace

std::string CertificateFile(std::string_view file) {
  // The file's name is "external/ringway/..." in another workspace's tests,
  // whose runfiles have it beside their own.
  std::string_view folder = __FILE__;
  folder.remove_suffix(folder.size() - folder.rfind('/'));
  const bool external = absl::ConsumePrefix(&folder, "external/");
  return absl::StrCat(external ? "../" : "", folder, "/certificates/", file);
}

TlsCertificate TestCertificate(std::string_view name) {
  const std::string file = CertificateFile(name);
  return {TlsPem::File(absl::StrCat(file, ".pem")),
          TlsPem::File(absl::StrCat(file, ".key"))};
}

TlsServerOptions TestServerOptions() {
  TlsServerOptions options;
  options.certificates.push_back(TestCertificate("server"));
  options.kernel_tls = KernelTlsOfTests();
  return options;
}

TlsClientOptions TestClientOptions() {
  TlsClientOptions options;
  options.roots = TlsPem::File(CertificateFile("ca.pem"));
  options.kernel_tls = KernelTlsOfTests();
  return options;
}

TlsContext MakeServer(const TlsServerOptions& options) {
  return ValueOf(TlsContext::Server(options));
}

TlsContext MakeClient(const TlsClientOptions& options) {
  return ValueOf(TlsContext::Client(options));
}

}  // namespace ringway::net::testing
