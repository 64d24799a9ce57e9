// SPDX-License-Identifier: Apache-2.0
//
// The SocketCalls of backends whose sockets are the kernel's.

#ifndef RINGWAY_BACKENDS_COMMON_KERNEL_SOCKETS_H_
#define RINGWAY_BACKENDS_COMMON_KERNEL_SOCKETS_H_

#include "ringway/backends/socket_calls.h"

namespace ringway {

// Never destroyed. Threads: any.
SocketCalls& BlockingSockets();
SocketCalls& NonBlockingSockets();

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_KERNEL_SOCKETS_H_
