// SPDX-License-Identifier: Apache-2.0
//
// Reading certificates and keys in PEM form. Every error names the option, the
// file, the line and the entry.

#ifndef RINGWAY_NET_TLS_CONTEXT_PEM_H_
#define RINGWAY_NET_TLS_CONTEXT_PEM_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/net/tls/engine/handles.h"
#include "ringway/net/tls/tls_options.h"

namespace ringway::net::internal {

// The whole of a file. `what` is the option, for errors.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path,
                                          std::string_view what);

// All certificates in `pem`, at least one; entries of other kinds are skipped.
//
// Errors: NotFound and other errors of reading the file; InvalidArgument.
absl::StatusOr<std::vector<CertificatePtr>> ReadCertificates(
    const TlsPem& pem, std::string_view what);

// The first private key in `pem`.
absl::StatusOr<PrivateKeyPtr> ReadPrivateKey(const TlsPem& pem,
                                             std::string_view what);

// A certificate with its key, which belong together.
struct Identity {
  std::vector<CertificatePtr> chain;  // the certificate itself first
  PrivateKeyPtr key;
  std::string ocsp;  // DER; empty: none

  int key_type() const { return EVP_PKEY_base_id(key.get()); }
};
absl::StatusOr<Identity> ReadIdentity(const TlsCertificate& certificate,
                                      std::string_view what);

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_CONTEXT_PEM_H_
