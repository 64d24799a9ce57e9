// SPDX-License-Identifier: Apache-2.0
//
// Connect: opens a stream to a TCP or Unix address.
//
//   absl::StatusOr<TcpStream> stream = co_await net::Connect(address);

#ifndef RINGWAY_NET_CONNECT_H_
#define RINGWAY_NET_CONNECT_H_

#include <sys/socket.h>

#include <coroutine>
#include <string>

#include "absl/status/statusor.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/executor/task/operation_await.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/net/listening/listen_socket.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tcp_stream.h"

namespace ringway::net {

namespace internal {

// Base of the awaitables that connect a socket, which the derived class makes
// its result of.
class ConnectBase : public OperationAwait {
 public:
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    if (!Prepare(task.loop())) return task.SkipWait(leaf);
    return OperationAwait::await_suspend(leaf);
  }

 protected:
  // `type`: SOCK_STREAM or SOCK_SEQPACKET. `options`: null for the defaults.
  ConnectBase(const SocketAddress& peer, int type,
              const ConnectOptions* options);

  // The connected socket, or why it is not. Once.
  absl::StatusOr<SocketFd> TakeConnected();

 private:
  static std::string Describe(const Suspension& suspension);
  // False if the socket could not be made.
  bool Prepare(Loop& loop);

  const SocketAddress address_;
  const int type_;
  const ConnectOptions* const options_;
  absl::StatusOr<SocketFd> socket_;  // once it was awaited
};

}  // namespace internal

class [[nodiscard]] ConnectOp : public internal::ConnectBase {
 public:
  ConnectOp(const SocketAddress& peer, const ConnectOptions* options)
      : ConnectBase(peer, SOCK_STREAM, options) {}
  absl::StatusOr<TcpStream> await_resume();
};

// Connects to `address`.
//
// Errors:       the errno of connect(2), naming the address: ECONNREFUSED,
//               ENETUNREACH, ENOENT, ETIMEDOUT (after the kernel's own
//               timeout, minutes); ResourceExhausted, no memory for the
//               stream; Cancelled.
// Ownership:    `address` is copied.
// Cancellation: two-phase; if the connection was made first, it is the
//               result.
// Cost:         the stream's one allocation; one system call for the socket.
inline ConnectOp Connect(const SocketAddress& address) {
  return ConnectOp(address, nullptr);
}

// The same from an address, or with socket options.
//
//   net::ConnectOptions options;
//   options.stream.user_timeout = absl::Seconds(10);
//   absl::StatusOr<TcpStream> stream = co_await net::Connect(address, options);
//
// Errors:    also those of bind(2), naming the local address, and those of
//            TcpStream::SetOptions().
// Ownership: `options` must outlive the await.
inline ConnectOp Connect(const SocketAddress& address,
                         const ConnectOptions& options) {
  return ConnectOp(address, &options);
}

}  // namespace ringway::net

#endif  // RINGWAY_NET_CONNECT_H_
