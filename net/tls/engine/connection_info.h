// SPDX-License-Identifier: Apache-2.0
//
// TlsConnectionInfo: what a handshake has agreed on.

#ifndef RINGWAY_NET_TLS_ENGINE_CONNECTION_INFO_H_
#define RINGWAY_NET_TLS_ENGINE_CONNECTION_INFO_H_

#include <string>

#include "openssl/ssl.h"
#include "ringway/core/compiler.h"

namespace ringway::net {

struct TlsConnectionInfo {
  std::string version;   // "TLSv1.3"
  std::string cipher;    // "TLS_AES_256_GCM_SHA384"
  std::string alpn;      // empty: none was agreed on
  std::string host;      // that the client has asked for (SNI); may be empty
  bool resumed = false;  // an earlier session
  std::string ocsp;      // that the server has stapled, in DER form
};

namespace internal {

// After the handshake.
TlsConnectionInfo InfoOf(SSL& ssl);

}  // namespace internal
}  // namespace ringway::net

#endif  // RINGWAY_NET_TLS_ENGINE_CONNECTION_INFO_H_
