// SPDX-License-Identifier: Apache-2.0
//
// SeqPacketListener, ConnectSeqPacket: how SeqPacketSockets of two processes
// come to be connected.
//
//   absl::StatusOr<SeqPacketListener> listener =
//       SeqPacketListener::Listen(address);
//   absl::StatusOr<SeqPacketSocket> client =
//       co_await net::ConnectSeqPacket(address);
//   absl::StatusOr<SeqPacketSocket> server = co_await listener->Accept();

#ifndef RINGWAY_NET_UNIX_SEQ_PACKET_LISTENER_H_
#define RINGWAY_NET_UNIX_SEQ_PACKET_LISTENER_H_

#include <sys/socket.h>

#include <memory>

#include "absl/status/statusor.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/net/connect.h"
#include "ringway/net/listening/accept_wait.h"
#include "ringway/net/listening/listen_socket.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/unix/seq_packet_socket.h"

namespace ringway::net {

class [[nodiscard]] AcceptSeqPacketOp : public internal::AcceptWait {
 public:
  // `core` is null for a closed listener.
  explicit AcceptSeqPacketOp(internal::ListenerCore* core)
      : AcceptWait(core, "a SeqPacketListener") {}
  absl::StatusOr<SeqPacketSocket> await_resume();
};

// May outlive its loop, whose end closes it (executor/loop/loop_dependent.h).
//
// Threads: the loop's only (checked), except for moving it.
class SeqPacketListener {
 public:
  // Binds to `address`, a path or an abstract name, and listens; connections
  // are accepted from the first Accept() on. A path whose socket is no longer
  // bound is taken over, by one of those that start on it at a time; the path
  // stays when the listener is closed: the owner removes it. Of `options` the
  // backlog and the buffers of `stream` have a meaning here. Without `loop` it
  // uses that of the calling task (checked).
  //
  // Errors: InvalidArgument for an address of another family; the errno of
  //         socket, bind or listen, naming the address: EADDRINUSE also for a
  //         file that is no socket; ResourceExhausted without memory.
  static absl::StatusOr<SeqPacketListener> Listen(
      Loop& loop, const SocketAddress& address,
      const ListenOptions& options = ListenOptions());
  static absl::StatusOr<SeqPacketListener> Listen(
      const SocketAddress& address,
      const ListenOptions& options = ListenOptions());

  // Takes over a listening socket; otherwise as SeqPacketSocket::Adopt().
  static SeqPacketListener Adopt(Loop& loop, SocketFd fd);
  static SeqPacketListener Adopt(Loop& loop, UniqueFd fd);

  SeqPacketListener(SeqPacketListener&& other) noexcept;
  SeqPacketListener& operator=(SeqPacketListener&& other) noexcept;
  // As Close().
  ~SeqPacketListener();

  // Waits for the next connection. All as TcpListener::Accept().
  AcceptSeqPacketOp Accept() { return AcceptSeqPacketOp(core_.get()); }

  // Stops accepting: waiting tasks and later calls of Accept() get Cancelled,
  // and connections not yet taken are closed.
  void Close();

  // FailedPrecondition once it is closed, also by the end of its loop.
  absl::StatusOr<SocketAddress> LocalAddress() const;

 private:
  explicit SeqPacketListener(std::unique_ptr<internal::ListenerCore> core);

  std::unique_ptr<internal::ListenerCore> core_;
};

class [[nodiscard]] ConnectSeqPacketOp : public internal::ConnectBase {
 public:
  ConnectSeqPacketOp(const SocketAddress& peer, const ConnectOptions* options)
      : ConnectBase(peer, SOCK_SEQPACKET, options) {}
  absl::StatusOr<SeqPacketSocket> await_resume();
};

// Connects to a SeqPacketListener. Where its backlog is full it waits; give it
// a time limit by WithTimeout().
//
// Errors:       InvalidArgument for an address of another family; the errno of
//               connect(2), naming the address: ECONNREFUSED, ENOENT,
//               EPROTOTYPE (a socket of another type has the path);
//               ResourceExhausted, no memory for the socket; Cancelled.
// Ownership:    `address` is copied.
// Cancellation: two-phase; if the connection was made first, it is the
//               result.
// Cost:         the socket's one allocation; one system call for it.
inline ConnectSeqPacketOp ConnectSeqPacket(const SocketAddress& address) {
  return ConnectSeqPacketOp(address, nullptr);
}

// The same from an address, or with other buffers: what else is in `options`
// has no meaning here. Packets are as large as the send buffer allows.
//
// Errors:    also those of bind(2), naming the local address.
// Ownership: `options` must outlive the await.
inline ConnectSeqPacketOp ConnectSeqPacket(const SocketAddress& address,
                                           const ConnectOptions& options) {
  return ConnectSeqPacketOp(address, &options);
}

}  // namespace ringway::net

#endif  // RINGWAY_NET_UNIX_SEQ_PACKET_LISTENER_H_
