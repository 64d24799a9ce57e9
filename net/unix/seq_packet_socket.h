// SPDX-License-Identifier: Apache-2.0
//
// SeqPacketSocket: one end of a connection whose messages keep their bounds
// (SOCK_SEQPACKET). Unlike a stream it needs no framing; unlike datagrams it
// has a peer, an end, and an order. Move-only; closes itself.
//
//   auto ends = net::SeqPacketPair();
//   absl::Status sent = co_await ends->first.Send(question);
//   absl::StatusOr<net::Packet> got = co_await ends->second.Receive(buffer);
//   if (got.ok() && !got->is_end()) n_bytes += got->n_bytes;

#ifndef RINGWAY_NET_UNIX_SEQ_PACKET_SOCKET_H_
#define RINGWAY_NET_UNIX_SEQ_PACKET_SOCKET_H_

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/net/socket/stream_core.h"
#include "ringway/net/socket/stream_ops.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {

class SeqPacketSocket;

namespace internal {

inline constexpr StreamKind kSeqPacket = {.handle = "a SeqPacketSocket",
                                          .socket = "packet socket"};

// For awaitables that are defined elsewhere.
struct SeqPacketAccess {
  static StreamCore* CoreOf(const SeqPacketSocket& socket);
};

}  // namespace internal

// What was received.
struct Packet {
  Packet() {}

  size_t n_bytes = 0;     // in the buffer
  size_t full_bytes = 0;  // of the packet; more if it did not fit

  bool truncated() const { return full_bytes > n_bytes; }
  // The peer has ended its side. A peer that is no SeqPacketSocket may have
  // sent an empty packet instead: the kernel reports both alike.
  bool is_end() const { return full_bytes == 0; }
};

// The writes of a connection go one at a time, so that packets keep their
// order. The kernel does not read the bytes of a packet before there is room
// for it: unlike a Unix datagram (see PrepareSend()), one that io_uring has to
// try again arrives whole (measured on Linux 6.18). Several at a time would be
// tried again in any order.
class [[nodiscard]] SendPacketOp : public QueuedWrite {
 public:
  SendPacketOp(internal::StreamCore* core, std::span<const std::byte> bytes);
  bool await_ready() const noexcept { return length == 0 && usable(); }
  absl::Status await_resume() const;
};

class [[nodiscard]] ReceivePacketOp : public StreamRead {
 public:
  ReceivePacketOp(internal::StreamCore* core, std::span<std::byte> buffer);
  absl::StatusOr<Packet> await_resume() const;

 private:
  const size_t capacity_;
};

// May outlive its loop, whose end closes it (executor/loop/loop_dependent.h).
// Once it is closed, by Close() or by the loop's end, or moved from, calls that
// return a status return FailedPrecondition.
//
// Threads: the loop's only (checked), except for moving it.
class SeqPacketSocket {
 public:
  // Takes over a connected socket for use on `loop`'s thread: a socket of the
  // loop's backend, or any kernel socket, whose O_NONBLOCK mode is set as the
  // backend needs it. Throws std::bad_alloc after closing the socket.
  static SeqPacketSocket Adopt(Loop& loop, SocketFd fd);
  static SeqPacketSocket Adopt(Loop& loop, UniqueFd fd);

  SeqPacketSocket(SeqPacketSocket&&) noexcept = default;
  SeqPacketSocket& operator=(SeqPacketSocket&& other) noexcept;
  // As Close().
  ~SeqPacketSocket() { Close(); }

  // Sends `bytes` as one packet; completes when the kernel has accepted it.
  // Packets of several tasks go in the order of the calls.
  //
  // Errors:       InvalidArgument for no bytes: the peer would take the packet
  //               for the end. EMSGSIZE for more than the send buffer holds
  //               (SO_SNDBUF), nothing is sent; Unavailable (EPIPE,
  //               ECONNRESET); Cancelled; any other errno of send(2).
  // Ownership:    `bytes` and this socket must outlive the await, also after a
  //               cancel. Dropping the socket while another task waits ends its
  //               wait as cancelled.
  // Threads:      the loop's only (checked).
  // Cancellation: two-phase; the packet is sent whole or not at all, and a send
  //               that ends as cancelled has sent nothing.
  // Cost:         no allocation; no system call before the turn ends. Waits
  //               while the peer does not receive (back-pressure).
  SendPacketOp Send(std::span<const std::byte> bytes) {
    return SendPacketOp(core_.get(), bytes);
  }

  // Receives one packet. Bytes that do not fit into `buffer` are lost, and the
  // packet is truncated(). One task at a time (checked).
  //
  // Result:       the packet; is_end() when the peer has ended its side.
  // Errors:       Unavailable: ECONNRESET, once, if the peer has closed its
  //               socket without receiving everything; what it had sent comes
  //               after that. Cancelled; any other errno of recv(2).
  // Ownership, threads: as Send().
  // Cancellation: two-phase; a packet that raced the cancel is the result.
  // Cost:         as Send().
  ReceivePacketOp Receive(std::span<std::byte> buffer) {
    return ReceivePacketOp(core_.get(), buffer);
  }

  // Shuts down the sending side after all earlier sends: the peer then receives
  // the end. Receiving stays possible.
  //
  // Errors: the errno of shutdown(2); Cancelled.
  ShutdownWriteOp ShutdownWrite() {
    return ShutdownWriteOp(core_.get(), internal::kSeqPacket);
  }

  // Cancels the operations in flight and closes the socket when they have
  // ended. The handle is empty at once.
  void Close();

  // False once it is closed or moved from, or its loop has ended.
  bool valid() const;

  absl::StatusOr<SocketAddress> LocalAddress() const;
  // Without a name for a client that has bound none.
  absl::StatusOr<SocketAddress> PeerAddress() const;

  // For socket options; the socket keeps ownership. Aborts unless valid().
  int fd() const;

 private:
  friend struct internal::SeqPacketAccess;

  explicit SeqPacketSocket(std::unique_ptr<internal::StreamCore> core)
      : core_(std::move(core)) {}
  // OK if it can be used.
  absl::Status CheckUsable() const;

  std::unique_ptr<internal::StreamCore> core_;
};

inline internal::StreamCore* internal::SeqPacketAccess::CoreOf(
    const SeqPacketSocket& socket) {
  return socket.core_.get();
}

// Makes two connected sockets without names, as socketpair(2) does. Without
// `loop` it uses that of the calling task (checked).
//
// Errors: the errno of socketpair(2); ResourceExhausted without memory.
absl::StatusOr<std::pair<SeqPacketSocket, SeqPacketSocket>> SeqPacketPair(
    Loop& loop);
absl::StatusOr<std::pair<SeqPacketSocket, SeqPacketSocket>> SeqPacketPair();

}  // namespace ringway::net

#endif  // RINGWAY_NET_UNIX_SEQ_PACKET_SOCKET_H_
