// SPDX-License-Identifier: Apache-2.0
//
// TlsPeerCertificate: whom a peer's certificate names.

#ifndef RINGWAY_NET_TLS_ENGINE_PEER_CERTIFICATE_H_
#define RINGWAY_NET_TLS_ENGINE_PEER_CERTIFICATE_H_

#include <string>
#include <vector>

#include "openssl/x509.h"

namespace ringway::net {

// Of a certificate that was verified, unless the context does not verify.
struct TlsPeerCertificate {
  // "CN=client one,O=Example" (RFC 2253).
  std::string subject;
  // The alternative names (RFC 5280, section 4.2.1.6).
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  std::vector<std::string> emails;
  std::vector<std::string> uris;
  // The SHA-256 hash of the certificate, in hexadecimal.
  std::string sha256;
};

namespace internal {

TlsPeerCertificate Describe(const X509& certificate);
std::string SubjectOf(const X509& certificate);
// The names of a server that it is for: DNS names, or the common name where it
// has no alternative names.
std::vector<std::string> DnsNamesOf(const X509& certificate);
// All of them, for messages.
std::string NamesOf(const X509& certificate);

}  // namespace internal
}  // namespace ringway::net

#endif  // RINGWAY_NET_TLS_ENGINE_PEER_CERTIFICATE_H_
