// SPDX-License-Identifier: Apache-2.0
//
// TcpListener: accepts stream connections, TCP or Unix, on one loop.
//
//   absl::StatusOr<TcpListener> listener = TcpListener::Listen(loop, address);
//   while (true) {
//     absl::StatusOr<TcpStream> stream = co_await listener->Accept();
//     if (absl::IsResourceExhausted(stream.status())) continue;
//     if (!stream.ok()) break;
//     Spawn(Serve(*std::move(stream))).Detach();
//   }

#ifndef RINGWAY_NET_TCP_LISTENER_H_
#define RINGWAY_NET_TCP_LISTENER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/unique_fd.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/net/listening/accept_wait.h"
#include "ringway/net/listening/listen_socket.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tcp_stream.h"

namespace ringway::net {

class [[nodiscard]] AcceptOp : public internal::AcceptWait {
 public:
  // `core` is null for a closed listener.
  explicit AcceptOp(internal::ListenerCore* core)
      : AcceptWait(core, "a TcpListener") {}
  absl::StatusOr<TcpStream> await_resume();
};

// May outlive its loop, whose end closes it (executor/loop/loop_dependent.h).
//
// Threads: the loop's only (checked), except for moving it.
class TcpListener {
 public:
  // Binds and listens; connections are accepted from the first Accept() on.
  //
  // Errors: the errno of socket, bind or listen, naming the address;
  //         ResourceExhausted without memory.
  static absl::StatusOr<TcpListener> Listen(
      Loop& loop, const SocketAddress& address,
      const ListenOptions& options = ListenOptions());
  // The same on the loop of the calling task (checked).
  static absl::StatusOr<TcpListener> Listen(
      const SocketAddress& address,
      const ListenOptions& options = ListenOptions());

  // Takes over a listening socket: a socket of `loop`'s backend, or any kernel
  // socket, whose O_NONBLOCK mode is set as the backend needs it. Throws
  // std::bad_alloc after closing the socket.
  static TcpListener Adopt(Loop& loop, SocketFd fd);
  static TcpListener Adopt(Loop& loop, UniqueFd fd);

  TcpListener(TcpListener&& other) noexcept;
  TcpListener& operator=(TcpListener&& other) noexcept;
  // As Close().
  ~TcpListener();

  // Waits for the next connection.
  //
  // Errors:       ResourceExhausted: no memory for the stream; the connection
  //               was closed and the next Accept() works. All others are
  //               final: Cancelled (the task was cancelled, or the listener
  //               closed or moved from); FailedPrecondition (its loop has
  //               ended); the errno of accept(2) if the socket itself is
  //               unusable. Running out of fds or kernel memory is not an
  //               error: the listener retries every 20 ms until it succeeds,
  //               but see KeepReserve().
  //               Never throws.
  // Threads:      the loop's only (checked). Several tasks may wait; they are
  //               served in order.
  // Cancellation: a connection that raced the cancel stays for the next
  //               Accept().
  // Cost:         no allocation except the stream; the kernel's accept stays
  //               armed between calls.
  AcceptOp Accept() { return AcceptOp(core_.get()); }

  // From now on the listener holds an fd in reserve. When the process or the
  // machine has no more fds, it uses that one to accept the connections that
  // arrive, and closes them: their clients know at once, instead of waiting in
  // the kernel's queue. For each, an Accept() returns ResourceExhausted with
  // EMFILE, and the next one works.
  void KeepReserve();

  // True if an Accept() would find a connection: one that waits in the kernel's
  // queue, or here. Before a Close() for good, those are clients that have
  // connected already. False once it is closed. Costs a system call.
  bool HasPending() const;

  // Stops accepting: waiting tasks and later calls of Accept() get Cancelled,
  // and connections not yet taken are closed.
  void Close();

  // With the port that the kernel chose. FailedPrecondition once it is closed,
  // also by the end of its loop.
  absl::StatusOr<SocketAddress> LocalAddress() const;

 private:
  explicit TcpListener(std::unique_ptr<internal::ListenerCore> core);

  std::unique_ptr<internal::ListenerCore> core_;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_TCP_LISTENER_H_
