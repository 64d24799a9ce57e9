// SPDX-License-Identifier: Apache-2.0
//
// Creates listening sockets and sockets for connecting. Nothing here blocks,
// except while another server starts on the same stale Unix path.

#ifndef RINGWAY_NET_LISTENING_LISTEN_SOCKET_H_
#define RINGWAY_NET_LISTENING_LISTEN_SOCKET_H_

#include <sys/socket.h>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/net/socket/stream_options.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {

struct ListenOptions {
  ListenOptions() {}

  // Most connections waiting to be accepted; the kernel caps it at
  // net.core.somaxconn.
  int backlog = 4096;
  // Several sockets, one per worker, share the address and the kernel spreads
  // connections.
  bool reuse_port = false;
  // With reuse_port, for the first socket of a group: EADDRINUSE if the address
  // is in use already, even by a socket that would share it.
  bool claim_port = false;
  // An IPv6 socket accepts IPv6 connections only, not IPv4 ones. Always set
  // explicitly, independent of the sysctl net.ipv6.bindv6only.
  bool v6_only = false;
  // Accepted TCP connections send small writes at once (TCP_NODELAY), unless
  // `stream` has another value.
  bool no_delay = true;
  // Of the accepted streams. The listener has them, too: its buffers and mark
  // take part in the handshake, and it accepts on the given device only.
  StreamOptions stream;
  // Connections are accepted when their first bytes have arrived, or after this
  // time, in whole seconds (TCP_DEFER_ACCEPT); 0: at once. Only for protocols
  // in which clients speak first.
  absl::Duration defer_accept;
  // Clients may send with the handshake (TCP_FASTOPEN); how many such
  // connections may wait, 0: none. What they send can arrive twice.
  int fast_open_queue = 0;
  // Clients may use several paths, as ConnectOptions::multipath; others still
  // connect by TCP.
  bool multipath = false;
};

struct ConnectOptions {
  ConnectOptions() {}

  StreamOptions stream;
  // Where it connects from; none: the system chooses. With port 0 it chooses
  // the port.
  SocketAddress local;
  // TCP: the first bytes are sent with the request to connect, where the peer's
  // machine has allowed that before (TCP_FASTOPEN_CONNECT, RFC 7413). Connect()
  // then does not wait, and what fails, the first write or read reports. The
  // peer may get these bytes twice: for requests that may be repeated. Write
  // first: a read would wait for ever.
  bool fast_open = false;
  // TCP: the connection may use several networks of both machines at a time
  // (Multipath TCP, RFC 8684, IPPROTO_MPTCP). It is a TCP one where this system
  // has none (sysctl net.mptcp.enabled), the peer does not take part, or the
  // network lets none through: UsesMultipath() in net/statistics/tcp_info.h
  // returns what has come of it. Some StreamOptions are ENOPROTOOPT on such a
  // socket: user_timeout, and type_of_service on IPv6 (Linux 6.18).
  bool multipath = false;
};

// Makes a listening stream socket of `sockets`, bound to `address`; with port 0
// the kernel chooses. A Unix path is removed first if it belongs to a socket
// that is no longer listening; any other file stays and causes EADDRINUSE. If
// several servers start on one such path at a time, exactly one gets it.
// `type`: SOCK_STREAM, or SOCK_SEQPACKET for Unix addresses.
//
// Errors: the errno of the call that failed, naming it and the address;
//         InvalidArgument for an address that sockets of `type` cannot have.
absl::StatusOr<SocketFd> MakeListenSocket(SocketCalls& sockets,
                                          const SocketAddress& address,
                                          const ListenOptions& options,
                                          int type = SOCK_STREAM);

// Duplicates the descriptor, with CLOEXEC set.
absl::StatusOr<SocketFd> DuplicateSocket(const SocketFd& socket);

// The same with a listening socket that was made elsewhere, such as one that a
// service manager has passed; `fd` stays the caller's. It gets the mode of
// `sockets`, which all its duplicates share, in other processes, too: processes
// that accept from one socket must be on the same kind of backend.
//
// Errors: InvalidArgument if it is no stream socket that listens; the errno of
//         the call that failed.
absl::StatusOr<SocketFd> DuplicateListenSocket(SocketCalls& sockets, int fd);

// Makes an unconnected stream socket for `address`, with TCP_NODELAY for TCP
// unless `options` have another value. `type` and errors as
// MakeListenSocket().
absl::StatusOr<SocketFd> MakeStreamSocket(SocketCalls& sockets,
                                          const SocketAddress& address,
                                          const ConnectOptions& options,
                                          int type = SOCK_STREAM);

}  // namespace ringway::net

#endif  // RINGWAY_NET_LISTENING_LISTEN_SOCKET_H_
