// SPDX-License-Identifier: Apache-2.0
//
// UnixDatagramSocket: datagrams between the processes of one machine. None is
// lost: where the receiver has no room the send waits.
//
//   absl::StatusOr<UnixDatagramSocket> log = UnixDatagramSocket::Bind(
//       SocketAddress::Unix("/run/log.sock").value());
//   absl::StatusOr<LentDatagram> line = co_await log->ReceiveLent();

#ifndef RINGWAY_NET_UNIX_UNIX_DATAGRAM_SOCKET_H_
#define RINGWAY_NET_UNIX_UNIX_DATAGRAM_SOCKET_H_

#include <utility>

#include "absl/status/statusor.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/net/datagram/datagram_socket.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {

// Lifetime and threads as DatagramSocket, which has the functions to send and
// to receive. Those without `loop` use that of the calling task (checked).
class UnixDatagramSocket : public DatagramSocket {
 public:
  // Makes a socket bound to `address`, a path or an abstract name. A path whose
  // socket is no longer bound is taken over; the path stays when the socket is
  // closed: the owner removes it.
  //
  // Errors: InvalidArgument for an address of another family; the errno of
  //         socket or bind, naming the address: EADDRINUSE also for a file that
  //         is no socket; ResourceExhausted without memory.
  static absl::StatusOr<UnixDatagramSocket> Bind(Loop& loop,
                                                 const SocketAddress& address);
  static absl::StatusOr<UnixDatagramSocket> Bind(const SocketAddress& address);

  // Makes a socket without a name, which nobody can reply to.
  //
  // Errors: the errno of socket; ResourceExhausted without memory.
  static absl::StatusOr<UnixDatagramSocket> Open(Loop& loop);
  static absl::StatusOr<UnixDatagramSocket> Open();

  // Makes two connected ones without names, as socketpair(2) does.
  //
  // Errors: the errno of socketpair; ResourceExhausted without memory.
  static absl::StatusOr<std::pair<UnixDatagramSocket, UnixDatagramSocket>> Pair(
      Loop& loop);
  static absl::StatusOr<std::pair<UnixDatagramSocket, UnixDatagramSocket>>
  Pair();

  // As UdpSocket::Adopt().
  static UnixDatagramSocket Adopt(Loop& loop, SocketFd fd);
  static UnixDatagramSocket Adopt(Loop& loop, UniqueFd fd);

 private:
  static constexpr internal::DatagramKind kKind = {
      .handle = "a UnixDatagramSocket",
      .socket = "Unix datagram socket",
      .retries = true};

  UnixDatagramSocket(Loop& loop, SocketFd fd)
      : DatagramSocket(loop, std::move(fd), kKind) {}
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_UNIX_UNIX_DATAGRAM_SOCKET_H_
