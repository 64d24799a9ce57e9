// SPDX-License-Identifier: Apache-2.0
//
// TcpListener: accepts stream connections, TCP or Unix, on one loop.
//
//   absl::StatusOr<TcpListener> listener = TcpListener::Listen(loop, address);
//   while (true) {
//     absl::StatusOr<TcpStream> stream = co_await listener->Accept();
//     if (absl::IsResourceExhausted(stream.status())) continue;
//     if (!stream.ok()) break;
//     Spawn(Serve(*std::move(stream)));
//   }

#ifndef RINGWAY_NET_TCP_LISTENER_H_
#define RINGWAY_NET_TCP_LISTENER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/wait.h"
#include "ringway/net/listen_socket.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tcp_stream.h"

namespace ringway::net {

namespace internal {
class ListenerCore;
}

class [[nodiscard]] AcceptOp : public ringway::internal::QueuedWait<AcceptOp> {
 public:
  // `core` may be null: a closed listener.
  explicit AcceptOp(internal::ListenerCore* core);
  absl::StatusOr<TcpStream> await_resume();

 private:
  friend class ringway::internal::Wait<AcceptOp>;
  friend class ringway::internal::QueuedWait<AcceptOp>;
  friend class ringway::internal::WaitLine<AcceptOp>;
  friend class internal::ListenerCore;
  using WaitEnd = ringway::internal::WaitEnd;
  static constexpr char kOwner[] = "a TcpListener";

  WaitEnd Admit();
  WaitEnd Begin();
  static std::string Describe(const Suspension& suspension);
  // The fd that was accepted, or -errno.
  void SetResult(int32_t result);

  internal::ListenerCore* const core_;
  const Unusable unusable_;
  SocketFd accepted_;
  int32_t error_ = 0;  // -errno, if none was accepted
};

// May outlive its loop, whose end closes it (executor/loop/loop_dependent.h).
//
// Threads: the loop's only (checked), but for moving it.
class TcpListener {
 public:
  // Binds and listens; connections are accepted from the first Accept() on.
  //
  // Errors: the errno of socket, bind or listen, naming the address;
  //         ResourceExhausted without memory.
  static absl::StatusOr<TcpListener> Listen(
      Loop& loop, const SocketAddress& address,
      const ListenOptions& options = ListenOptions());
  // The same on the loop of the task that calls it (checked: there is one).
  static absl::StatusOr<TcpListener> Listen(
      const SocketAddress& address,
      const ListenOptions& options = ListenOptions());

  // Takes over a listening socket: one of `loop`'s backend, or any other of the
  // kernel's, whose mode (O_NONBLOCK) becomes that of the backend. Throws
  // std::bad_alloc, having closed it.
  static TcpListener Adopt(Loop& loop, SocketFd fd);
  static TcpListener Adopt(Loop& loop, UniqueFd fd);

  TcpListener(TcpListener&& other) noexcept;
  TcpListener& operator=(TcpListener&& other) noexcept;
  // As Close().
  ~TcpListener();

  // Waits for the next connection.
  //
  // Errors:       of one connection, after which the next Accept() goes on:
  //               ResourceExhausted, there was no memory for its stream, and
  //               it has been closed. Final, all others: Cancelled (the task,
  //               or the listener was closed or moved from);
  //               FailedPrecondition (its loop has ended); the errno of
  //               accept(2) where the socket itself is unusable. When the
  //               kernel is out of fds or memory that is not an error here: the
  //               listener waits 20 ms and tries again, for as long as it
  //               takes. Never throws.
  // Threads:      the loop's only (checked). Several tasks may wait; they are
  //               served in order.
  // Cancellation: a connection that raced the cancel stays for the next
  //               Accept().
  // Cost:         no allocation but the stream; the kernel's accept stays armed
  //               in between.
  AcceptOp Accept() { return AcceptOp(core_.get()); }

  // Stops accepting: waiting tasks get Cancelled, connections not yet taken are
  // closed, and so does every later Accept() end: Cancelled.
  void Close();

  // With the port the kernel chose. FailedPrecondition once closed, by itself
  // or by the end of its loop.
  absl::StatusOr<SocketAddress> LocalAddress() const;

 private:
  explicit TcpListener(std::unique_ptr<internal::ListenerCore> core);

  std::unique_ptr<internal::ListenerCore> core_;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_TCP_LISTENER_H_
