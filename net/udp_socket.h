// SPDX-License-Identifier: Apache-2.0
//
// UdpSocket: sends and receives datagrams on one loop. Move-only; closes
// itself.
//
//   absl::StatusOr<UdpSocket> socket = UdpSocket::Bind(loop, address);
//   absl::StatusOr<Datagram> got = co_await socket->ReceiveFrom(buffer);
//   absl::Status sent = co_await socket->SendTo(reply, got->sender);
//
// Any number of tasks may send and receive at the same time. For a high rate of
// datagrams use ReceiveLent(), which keeps one receive armed, or several
// receiving tasks with a buffer each, and SendBatch(): one system call then
// serves them all.
//
//   while (true) {
//     absl::StatusOr<LentDatagram> got = co_await socket->ReceiveLent();
//     if (!got.ok()) co_return got.status();
//     ... got->bytes.bytes(), got->sender
//   }

#ifndef RINGWAY_NET_UDP_SOCKET_H_
#define RINGWAY_NET_UDP_SOCKET_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/net/datagram/datagram.h"
#include "ringway/net/datagram/datagram_ops.h"
#include "ringway/net/datagram/datagram_socket.h"
#include "ringway/net/datagram/udp_options.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {

// Lifetime and threads as DatagramSocket, which has the functions to send and
// to receive.
class UdpSocket : public DatagramSocket {
 public:
  // Makes a socket bound to `address`, IPv4 or IPv6; with port 0 the kernel
  // chooses.
  //
  // Errors: InvalidArgument for a Unix address; the errno of socket, setsockopt
  //         or bind, naming the address; ResourceExhausted without memory.
  static absl::StatusOr<UdpSocket> Bind(
      Loop& loop, const SocketAddress& address,
      const UdpOptions& options = UdpOptions());
  // The same on the loop of the calling task (checked).
  static absl::StatusOr<UdpSocket> Bind(
      const SocketAddress& address, const UdpOptions& options = UdpOptions());

  // Takes over a datagram socket: a socket of `loop`'s backend, or any kernel
  // socket, whose O_NONBLOCK mode is set as the backend needs it. Throws
  // std::bad_alloc after closing the socket.
  static UdpSocket Adopt(Loop& loop, SocketFd fd);
  static UdpSocket Adopt(Loop& loop, UniqueFd fd);

  // The socket sends to and receives from anybody again. A port that the kernel
  // chose is bound once more, as it is lost: datagrams that arrive meanwhile
  // are, too.
  //
  // Errors: the errno of connect(2) or bind(2).
  absl::Status Disconnect();

  // From now on also receives what is sent to `group` and the socket's port;
  // bind it to the group's address or to the unspecified one. Does not wait.
  // The simulator has no multicast: ENOPROTOOPT.
  //
  // Errors: InvalidArgument for an address that is no multicast group; the
  //         errno of setsockopt(2), naming the group: EADDRINUSE if it has
  //         joined already, EADDRNOTAVAIL if it has not, ENODEV for the
  //         interface. FailedPrecondition once it is closed.
  absl::Status Join(const MulticastGroup& group);
  absl::Status Leave(const MulticastGroup& group);

  // Takes the oldest report of a datagram that was not delivered, if there is
  // one; needs UdpOptions::receive_errors. Does not wait: call it when a send
  // or a receive has failed.
  //
  //   while (true) {
  //     auto error = co_await socket.TakeError();
  //     if (!error.ok() || !error->has_value()) break;
  //     ... (*error)->destination, (*error)->error
  //   }
  //
  // Errors:  the errno of recvmsg(2); FailedPrecondition for a closed socket.
  // Threads: the loop's only (checked).
  // Cost:    no allocation.
  TakeDatagramErrorOp TakeError() { return TakeDatagramErrorOp(core(), kKind); }

 private:
  static constexpr internal::DatagramKind kKind = {
      .handle = "a UdpSocket", .socket = "UDP socket", .retries = false};

  UdpSocket(Loop& loop, SocketFd fd)
      : DatagramSocket(loop, std::move(fd), kKind) {}
  absl::Status SetMembership(const MulticastGroup& group, bool join);
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_UDP_SOCKET_H_
