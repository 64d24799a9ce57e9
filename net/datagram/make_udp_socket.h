// SPDX-License-Identifier: Apache-2.0
//
// Creates UDP sockets. Nothing here blocks.

#ifndef RINGWAY_NET_DATAGRAM_MAKE_UDP_SOCKET_H_
#define RINGWAY_NET_DATAGRAM_MAKE_UDP_SOCKET_H_

#include "absl/status/statusor.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/net/datagram/udp_options.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {

// Makes a UDP socket of `sockets`, bound to `address`; with port 0 the kernel
// chooses.
//
// Errors: InvalidArgument for an address that is neither IPv4 nor IPv6; the
//         errno of socket, setsockopt or bind, naming the address or option.
absl::StatusOr<SocketFd> MakeUdpSocket(SocketCalls& sockets,
                                       const SocketAddress& address,
                                       const UdpOptions& options);

// Duplicates a UDP socket that was made elsewhere, such as one that a service
// manager has passed; `fd` stays the caller's. It gets the mode of `sockets`,
// which all its duplicates share, in other processes, too.
//
// Errors: InvalidArgument if it is no UDP socket; the errno of duplicating it.
absl::StatusOr<SocketFd> DuplicateUdpSocket(SocketCalls& sockets, int fd);

}  // namespace ringway::net

#endif  // RINGWAY_NET_DATAGRAM_MAKE_UDP_SOCKET_H_
