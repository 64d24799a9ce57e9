// SPDX-License-Identifier: Apache-2.0
//
// ProbeKernelCiphers: what the running kernel can encrypt with.

#ifndef RINGWAY_NET_TLS_KERNEL_KERNEL_PROBE_H_
#define RINGWAY_NET_TLS_KERNEL_KERNEL_PROBE_H_

#include "ringway/net/tls/kernel/kernel_keys.h"

namespace ringway::net::internal {

// Connects to itself over the loopback interface, once for each of
// AllKernelCiphers(), and gives the connection keys: which ciphers there are
// depends on the kernel's version, its configuration and its modules. None
// where that interface is down.
//
// Threads: any.
// Cost:    system calls, about ten for each cipher; the first may load the
//          kernel's module. Those of one connection where there is no kTLS.
KernelCiphers ProbeKernelCiphers();

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_KERNEL_KERNEL_PROBE_H_
