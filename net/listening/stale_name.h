// SPDX-License-Identifier: Apache-2.0
//
// RemoveStaleName: makes the name of a Unix socket free that a dead process
// left behind.

#ifndef RINGWAY_NET_LISTENING_STALE_NAME_H_
#define RINGWAY_NET_LISTENING_STALE_NAME_H_

#include "absl/status/status.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/net/socket_address.h"

namespace ringway::net::internal {

// Before `address`, a Unix address, is bound: removes its path if it is that of
// a socket that is no longer bound. OK also if it does not exist, or is in use:
// then binding returns EADDRINUSE.
//
// Errors: those of a bind with EADDRINUSE, naming the address, for a file that
//         is not a socket, or a directory that others keep locked.
absl::Status RemoveStaleName(SocketCalls& sockets,
                             const SocketAddress& address);

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_LISTENING_STALE_NAME_H_
