// SPDX-License-Identifier: Apache-2.0
//
// How a peer's certificate is verified.

#ifndef RINGWAY_NET_TLS_CONTEXT_VERIFICATION_H_
#define RINGWAY_NET_TLS_CONTEXT_VERIFICATION_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/net/tls/engine/handles.h"
#include "ringway/net/tls/tls_options.h"

namespace ringway::net::internal {

using Sha256 = std::array<uint8_t, 32>;

// What OpenSSL's callback needs to know.
struct Verification {
  bool by_roots = true;  // the chain must lead to a root
  std::vector<Sha256> pinned_keys;
};

// InvalidArgument naming the entry of `hashes` that is no hash in hexadecimal.
absl::StatusOr<std::vector<Sha256>> ParsePinnedKeys(
    const std::vector<std::string>& hashes);

// Has `context` verify peers as `verification` says, which must outlive it,
// with the roots of `roots`, or the system's if that is empty. A failure is in
// the engine's error, with its reason and the name of the certificate.
absl::Status SetVerification(SSL_CTX& context, const TlsPem& roots,
                             std::string_view what,
                             const Verification& verification);

// The SHA-256 of the certificate's SubjectPublicKeyInfo.
Sha256 PublicKeyHash(const X509& certificate);

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_CONTEXT_VERIFICATION_H_
