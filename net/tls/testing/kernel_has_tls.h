// SPDX-License-Identifier: Apache-2.0
//
// What tests need to know of the kernel's TLS.

#ifndef RINGWAY_NET_TLS_TESTING_KERNEL_HAS_TLS_H_
#define RINGWAY_NET_TLS_TESTING_KERNEL_HAS_TLS_H_

#include "ringway/net/tls/tls_options.h"

namespace ringway::net::testing {

// True if KernelTls::kAuto makes the kernel encrypt for TCP sockets.
bool KernelHasTls();

// The tests' choice where it is not their subject: kAuto if the environment has
// RINGWAY_TEST_KERNEL_TLS. So all tests can be run with it, on a kernel that
// has it.
KernelTls KernelTlsOfTests();

}  // namespace ringway::net::testing

#endif  // RINGWAY_NET_TLS_TESTING_KERNEL_HAS_TLS_H_
