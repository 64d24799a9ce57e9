// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/testing/kernel_has_tls.h"

#include <cstdlib>

#include "openssl/ssl.h"
#include "ringway/net/tls/kernel/kernel_probe.h"

namespace ringway::net::testing {
namespace {

#ifdef OPENSSL_NO_KTLS
constexpr bool kOpenSslHasIt = false;
#else
constexpr bool kOpenSslHasIt = true;
#endif

}  // namespace

bool KernelHasTls() {
  return kOpenSslHasIt && !internal::ProbeKernelCiphers().empty();
}

KernelTls KernelTlsOfTests() {
  return getenv("RINGWAY_TEST_KERNEL_TLS") != nullptr ? KernelTls::kAuto
                                                      : KernelTls::kOff;
}

}  // namespace ringway::net::testing
