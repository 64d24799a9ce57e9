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
// datagrams use several receiving tasks with a buffer each: one system call
// then serves them all.

#ifndef RINGWAY_NET_UDP_SOCKET_H_
#define RINGWAY_NET_UDP_SOCKET_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <coroutine>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/net/socket/udp_options.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {

struct Datagram {
  Datagram() {}

  size_t n_bytes = 0;      // in the buffer; 0 for an empty datagram
  SocketAddress sender;    // AF_UNSPEC if it was not requested
  bool truncated = false;  // the datagram was longer than the buffer
};

namespace internal {

class UdpCore;

// Base of all operations of a UDP socket, which tracks them while they are in
// flight so that it can outlive them.
class DatagramOp : public OperationAwait {
 public:
  ~DatagramOp();

  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    return Begin(leaf, leaf.promise().task());
  }

 protected:
  DatagramOp(UdpCore* core, DescribeFunction describe);

  // -1 if the socket is unusable.
  int SocketFd() const;

  // A message of one part.
  void SetMessage(const void* data, size_t n_bytes);
  absl::Status Failed(const char* what) const;

  UdpCore* const core_;
  const Unusable unusable_;
  msghdr message_ = {};

 private:
  friend class UdpCore;
  struct InFlight : ListNode {
    explicit InFlight(DatagramOp& o) : op(o) {}
    DatagramOp& op;
  };

  static void OnDone(Runnable& entry);
  bool Begin(std::coroutine_handle<> leaf, TaskContext& task);

  InFlight in_flight_;
  iovec part_ = {};
};

}  // namespace internal

class [[nodiscard]] SendDatagramOp : public internal::DatagramOp {
 public:
  SendDatagramOp(internal::UdpCore* core, std::span<const std::byte> bytes);
  SendDatagramOp(internal::UdpCore* core, std::span<const std::byte> bytes,
                 const SocketAddress& receiver);
  absl::Status await_resume() const;

 private:
  static std::string Describe(const Suspension& suspension);

  SocketAddress receiver_;  // none: the socket's peer
};

class [[nodiscard]] ReceiveDatagramOp : public internal::DatagramOp {
 public:
  ReceiveDatagramOp(internal::UdpCore* core, std::span<std::byte> buffer,
                    bool want_sender);
  absl::StatusOr<Datagram> await_resume() const;

 private:
  static std::string Describe(const Suspension& suspension);

  const size_t capacity_;
  sockaddr_storage sender_;
};

// May outlive its loop, whose end closes it (executor/loop/loop_dependent.h).
// Once it is closed, by Close() or by the loop's end, or moved from, calls that
// return a status return FailedPrecondition.
//
// Threads: the loop's only (checked), except for moving it.
class UdpSocket {
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

  UdpSocket(UdpSocket&&) noexcept;
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  // As Close().
  ~UdpSocket();

  // Sets the peer: from then on Send() sends to it and only its datagrams are
  // received. Does not wait.
  //
  // Errors: the errno of connect(2), naming the address.
  absl::Status Connect(const SocketAddress& peer);
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

  // Sends one datagram.
  //
  // Errors:       the errno of sendmsg(2): EMSGSIZE, ENETUNREACH,
  //               EDESTADDRREQ (Send() when not connected), EISCONN; on a
  //               connected socket also ECONNREFUSED, for an earlier datagram
  //               that no socket received: returned once, by one send or
  //               receive. Cancelled.
  // Ownership:    `bytes` must outlive the await, also after a cancel; the
  //               address is copied. Dropping the socket ends the await as
  //               cancelled.
  // Threads:      the loop's only (checked).
  // Cancellation: two-phase; the datagram may have been sent.
  // Cost:         no allocation; no system call before the turn ends.
  SendDatagramOp SendTo(std::span<const std::byte> bytes,
                        const SocketAddress& receiver) {
    return SendDatagramOp(core_.get(), bytes, receiver);
  }
  // The same to the peer of a connected socket.
  SendDatagramOp Send(std::span<const std::byte> bytes) {
    return SendDatagramOp(core_.get(), bytes);
  }

  // Receives one datagram. Bytes that do not fit into `buffer` are lost, and
  // Datagram::truncated is set.
  //
  // Errors, ownership, threads, cost: as SendTo().
  // Cancellation: two-phase; a datagram that raced the cancel is the result.
  ReceiveDatagramOp ReceiveFrom(std::span<std::byte> buffer) {
    return ReceiveDatagramOp(core_.get(), buffer, /*want_sender=*/true);
  }
  // The same without the sender's address.
  ReceiveDatagramOp Receive(std::span<std::byte> buffer) {
    return ReceiveDatagramOp(core_.get(), buffer, /*want_sender=*/false);
  }

  // Cancels the operations in flight and closes the socket when they have
  // ended. The handle is empty at once.
  void Close();

  // With the port the kernel chose.
  absl::StatusOr<SocketAddress> LocalAddress() const;

  // For socket options; the socket keeps ownership. Aborts if it is closed or
  // moved from, or its loop has ended.
  int fd() const;

 private:
  explicit UdpSocket(std::unique_ptr<internal::UdpCore> core);
  absl::Status SetMembership(const MulticastGroup& group, bool join);

  std::unique_ptr<internal::UdpCore> core_;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_UDP_SOCKET_H_
