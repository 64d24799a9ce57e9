// SPDX-License-Identifier: Apache-2.0
//
// DatagramSocket: what UdpSocket and UnixDatagramSocket have in common: sending
// and receiving datagrams. Move-only; closes itself.

#ifndef RINGWAY_NET_DATAGRAM_DATAGRAM_SOCKET_H_
#define RINGWAY_NET_DATAGRAM_DATAGRAM_SOCKET_H_

#include <cstddef>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/net/datagram/datagram.h"
#include "ringway/net/datagram/datagram_batch.h"
#include "ringway/net/datagram/datagram_core.h"
#include "ringway/net/datagram/datagram_ops.h"
#include "ringway/net/datagram/datagram_receiver.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {

// May outlive its loop, whose end closes it (executor/loop/loop_dependent.h).
// Once it is closed, by Close() or by the loop's end, or moved from, calls that
// return a status return FailedPrecondition.
//
// Threads: the loop's only (checked), except for moving it.
class DatagramSocket {
 public:
  DatagramSocket(DatagramSocket&&) noexcept = default;
  DatagramSocket& operator=(DatagramSocket&& other) noexcept;
  // As Close().
  ~DatagramSocket() { Close(); }

  // Sets the peer: from then on Send() sends to it and only its datagrams are
  // received. Does not wait.
  //
  // Errors: the errno of connect(2), naming the address.
  absl::Status Connect(const SocketAddress& peer);

  // Sends one datagram.
  //
  // Errors:       the errno of sendmsg(2): EMSGSIZE, ENETUNREACH, ENOTCONN or
  //               EDESTADDRREQ (Send() when not connected), EISCONN. On a
  //               connected UDP socket also ECONNREFUSED, for an earlier
  //               datagram that no socket received: returned once, by one send
  //               or receive. On a Unix socket ECONNREFUSED and ENOENT, for a
  //               receiver that is gone; a full one makes the send wait.
  //               Cancelled.
  // Ownership:    `bytes` must outlive the await, also after a cancel; the
  //               address is copied. Dropping the socket ends the await as
  //               cancelled.
  // Threads:      the loop's only (checked).
  // Cancellation: two-phase; the datagram may have been sent.
  // Cost:         no allocation; no system call before the turn ends.
  SendDatagramOp SendTo(std::span<const std::byte> bytes,
                        const SocketAddress& receiver) {
    return SendDatagramOp(core_.get(), *kind_, bytes, receiver);
  }
  // The same to the peer of a connected socket.
  SendDatagramOp Send(std::span<const std::byte> bytes) {
    return SendDatagramOp(core_.get(), *kind_, bytes);
  }

  // The same with options of this datagram; without a receiver, to the peer of
  // a connected socket. The simulator has none of the options: EOPNOTSUPP.
  //
  // Errors: also EINVAL for segments that are too many, or larger than what
  //         passes the interface; EIO where the device cannot cut them;
  //         EADDRNOTAVAIL or EINVAL for a source that is not this machine's;
  //         EINVAL for a time without UdpOptions::transmit_times.
  // Cost:   one system call more, to learn the socket's family.
  SendWithOptionsOp SendTo(std::span<const std::byte> bytes,
                           const SocketAddress& receiver,
                           const SendOptions& options) {
    return SendWithOptionsOp(core_.get(), *kind_, bytes, receiver, options);
  }

  // Sends all datagrams of `batch`: of the first SendBatchOp::kAtOnce those for
  // which there is room by one system call, before this task or another goes
  // on, unless earlier sends have not ended; the others in later turns,
  // SendBatchOp::kWindow at a time. Where sends have to wait for room, later
  // datagrams may overtake earlier ones; a Unix receiver that does not read
  // holds the batch up, so give it a time limit (WithTimeout()).
  //
  // Result:       how many were sent; OutgoingDatagram::error says what became
  //               of each.
  // Errors:       FailedPrecondition for a closed socket. Cancelled. That a
  //               datagram cannot be sent is no error of the batch.
  // Ownership:    `batch` and its bytes must outlive the await, also after a
  //               cancel.
  // Threads:      the loop's only (checked).
  // Cancellation: no more are begun; those in flight may have been sent.
  // Cost:         no allocation; 8 KiB in the frame.
  SendBatchOp SendBatch(std::span<OutgoingDatagram> batch) {
    return SendBatchOp(core_.get(), *kind_, batch);
  }

  // Receives one datagram. Bytes that do not fit into `buffer` are lost, and
  // Datagram::truncated is set.
  //
  // Errors:       as SendTo(); FailedPrecondition after ReceiveLent().
  // Ownership, threads, cost: as SendTo().
  // Cancellation: two-phase; a datagram that raced the cancel is the result.
  ReceiveDatagramOp ReceiveFrom(std::span<std::byte> buffer) {
    return ReceiveDatagramOp(core_.get(), *kind_, buffer, /*want_sender=*/true);
  }
  // The same without the sender's address, and what else comes with it.
  ReceiveDatagramOp Receive(std::span<std::byte> buffer) {
    return ReceiveDatagramOp(core_.get(), *kind_, buffer,
                             /*want_sender=*/false);
  }

  // Receives one datagram into one of the worker's receive buffers, which hold
  // any. The first call arms a receive that stays; up to 16 datagrams are held
  // until a task asks for them, more wait in the socket's own buffer. From then
  // on the other ways to receive fail.
  //
  // Errors:       as SendTo().
  // Ownership:    the datagram's until it is dropped (LentBuffer).
  // Threads:      the loop's only (checked). One task at a time (checked).
  // Cancellation: at once; no datagram is lost.
  // Cost:         no allocation; no operation per datagram.
  ReceiveLentOp ReceiveLent() { return ReceiveLentOp(core_.get(), *kind_); }

  // The same for several datagrams: waits for one, and takes as many into `out`
  // as have arrived by then. What is in `out` is dropped before it waits.
  //
  // Result: how many, at least 1; 0 only if `out` is empty.
  ReceiveBatchOp ReceiveBatch(std::span<LentDatagram> out) {
    return ReceiveBatchOp(core_.get(), *kind_, out);
  }

  // True if a datagram waits that no task has received: in the socket's own
  // buffer, or held for ReceiveLent(). False once it is closed. Costs a system
  // call.
  bool HasPending() const;

  // Cancels the operations in flight and closes the socket when they have
  // ended. The handle is empty at once.
  void Close();

  absl::StatusOr<SocketAddress> LocalAddress() const;

  // For socket options; the socket keeps ownership. Aborts if it is closed or
  // moved from, or its loop has ended.
  int fd() const;

 protected:
  DatagramSocket(Loop& loop, SocketFd fd, const internal::DatagramKind& kind);

  // OK if it can be used.
  absl::Status CheckUsable() const;
  internal::DatagramCore* core() const { return core_.get(); }

 private:
  std::unique_ptr<internal::DatagramCore> core_;
  const internal::DatagramKind* kind_;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_DATAGRAM_DATAGRAM_SOCKET_H_
