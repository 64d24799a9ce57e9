// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/engine/connection_info.h"

#include <cstddef>

namespace ringway::net::internal {

TlsConnectionInfo InfoOf(SSL& ssl) {
  TlsConnectionInfo info;
  info.version = SSL_get_version(&ssl);
  if (const char* cipher = SSL_get_cipher_name(&ssl)) info.cipher = cipher;
  const unsigned char* alpn = nullptr;
  unsigned alpn_bytes = 0;
  SSL_get0_alpn_selected(&ssl, &alpn, &alpn_bytes);
  info.alpn.assign(reinterpret_cast<const char*>(alpn), alpn_bytes);
  if (const char* host = SSL_get_servername(&ssl, TLSEXT_NAMETYPE_host_name))
    info.host = host;
  info.resumed = SSL_session_reused(&ssl) == 1;
  const unsigned char* ocsp = nullptr;
  const auto ocsp_bytes =
      SSL_ctrl(&ssl, SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP, 0,
               static_cast<void*>(&ocsp));
  if (ocsp_bytes > 0) {
    info.ocsp.assign(reinterpret_cast<const char*>(ocsp),
                     static_cast<size_t>(ocsp_bytes));
  }
  return info;
}

}  // namespace ringway::net::internal
