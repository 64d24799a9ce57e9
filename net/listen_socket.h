// SPDX-License-Identifier: Apache-2.0
//
// Makes sockets ready to listen or to connect. Nothing here waits, but for
// another server that is starting on the same stale Unix path.

#ifndef RINGWAY_NET_LISTEN_SOCKET_H_
#define RINGWAY_NET_LISTEN_SOCKET_H_

#include "absl/status/statusor.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {

struct ListenOptions {
  ListenOptions() {}

  // Connections that wait to be accepted; the kernel caps it at
  // net.core.somaxconn.
  int backlog = 4096;
  // Several sockets, one per worker, share the address and the kernel spreads
  // connections.
  bool reuse_port = false;
  // With reuse_port, for the first socket of a group: EADDRINUSE if somebody,
  // also somebody who would share, has the address already.
  bool claim_port = false;
  // An IPv6 socket takes IPv6 connections only, not also IPv4 ones. Always set,
  // whatever the sysctl net.ipv6.bindv6only.
  bool v6_only = false;
  // Accepted TCP connections send small writes at once (TCP_NODELAY).
  bool no_delay = true;
};

// A listening stream socket of `sockets`, bound to `address`; port 0 lets the
// kernel choose. A Unix path is removed first if it is that of a socket that
// nothing listens on any more; whatever else is there stays and is EADDRINUSE.
// Of several that start on one such path at a time exactly one gets it.
//
// Errors: the errno of the call that failed, naming it and the address.
absl::StatusOr<SocketFd> MakeListenSocket(SocketCalls& sockets,
                                          const SocketAddress& address,
                                          const ListenOptions& options);

// Another descriptor of the same socket, CLOEXEC.
absl::StatusOr<SocketFd> DuplicateSocket(const SocketFd& socket);

// An unconnected stream socket for `address`, TCP_NODELAY set where it exists.
absl::StatusOr<SocketFd> MakeStreamSocket(SocketCalls& sockets,
                                          const SocketAddress& address);

}  // namespace ringway::net

#endif  // RINGWAY_NET_LISTEN_SOCKET_H_
