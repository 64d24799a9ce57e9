// SPDX-License-Identifier: Apache-2.0
//
// Owners of OpenSSL's objects, and access to its queue of errors.

#ifndef RINGWAY_NET_TLS_ENGINE_HANDLES_H_
#define RINGWAY_NET_TLS_ENGINE_HANDLES_H_

#include <memory>
#include <string>

#include "openssl/bio.h"
#include "openssl/evp.h"
#include "openssl/ssl.h"
#include "openssl/x509.h"
#include "ringway/net/tls/engine/openssl_order.h"

namespace ringway::net::internal {

template <auto free>
struct OpenSslFree {
  template <typename T>
  void operator()(T* object) const {
    const OpenSslOrder order;
    free(object);
  }
};

using SslPtr = std::unique_ptr<SSL, OpenSslFree<&SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, OpenSslFree<&SSL_CTX_free>>;
using SslSessionPtr =
    std::unique_ptr<SSL_SESSION, OpenSslFree<&SSL_SESSION_free>>;
using BioPtr = std::unique_ptr<BIO, OpenSslFree<&BIO_free>>;
using CertificatePtr = std::unique_ptr<X509, OpenSslFree<&X509_free>>;
using PrivateKeyPtr = std::unique_ptr<EVP_PKEY, OpenSslFree<&EVP_PKEY_free>>;

// Another owner of `certificate`.
inline CertificatePtr Share(X509& certificate) {
  X509_up_ref(&certificate);
  return CertificatePtr(&certificate);
}

// The oldest error of this thread's queue, in words, without the places in
// OpenSSL's sources; empty if there is none. Clears the queue.
std::string TakeOpenSslError();

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_ENGINE_HANDLES_H_
