// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/stream_pair.h"

#include <sys/socket.h>

#include <cerrno>
#include <new>
#include <utility>

#include "ringway/backends/socket_calls.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/socket/socket_core.h"

namespace ringway::net {

absl::StatusOr<std::pair<TcpStream, TcpStream>> StreamPair(Loop& loop) {
  SocketCalls& sockets = loop.backend().sockets();
  int fds[2];
  if (const int error = sockets.Pair(SOCK_STREAM, fds); error != 0)
    return ErrnoToStatus(-error, "socketpair");
  SocketFd first(sockets, fds[0]);
  SocketFd second(sockets, fds[1]);
  try {
    TcpStream one = TcpStream::Adopt(loop, std::move(first));
    TcpStream other = TcpStream::Adopt(loop, std::move(second));
    return std::pair(std::move(one), std::move(other));
  } catch (const std::bad_alloc&) {
    return ErrnoToStatus(ENOMEM, "a pair of streams");
  }
}

absl::StatusOr<std::pair<TcpStream, TcpStream>> StreamPair() {
  return StreamPair(CurrentLoop());
}

}  // namespace ringway::net
