// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/unix/unix_datagram_socket.h"

#include <sys/socket.h>

#include <cerrno>
#include <new>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/listening/stale_name.h"
#include "ringway/net/socket/socket_core.h"

namespace ringway::net {
namespace {

using DatagramPair = std::pair<UnixDatagramSocket, UnixDatagramSocket>;

absl::StatusOr<UnixDatagramSocket> TryAdopt(Loop& loop, SocketFd fd) {
  try {
    return UnixDatagramSocket::Adopt(loop, std::move(fd));
  } catch (const std::bad_alloc&) {
    return ErrnoToStatus(ENOMEM, "a Unix datagram socket");
  }
}

}  // namespace

absl::StatusOr<UnixDatagramSocket> UnixDatagramSocket::Bind(
    Loop& loop, const SocketAddress& address) {
  if (!address.is_unix()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a Unix datagram socket cannot be bound to ", address.ToString()));
  }
  SocketCalls& sockets = loop.backend().sockets();
  SocketFd fd(sockets, sockets.Socket(AF_UNIX, SOCK_DGRAM));
  if (!fd.valid()) return ErrnoToStatus(-fd.get(), "Unix datagram socket");
  absl::Status free = internal::RemoveStaleName(sockets, address);
  if (!free.ok()) return free;
  const int error = sockets.Bind(fd.get(), address.data(), address.size());
  if (error != 0)
    return ErrnoToStatus(-error, absl::StrCat("bind to ", address.ToString()));
  return TryAdopt(loop, std::move(fd));
}

absl::StatusOr<UnixDatagramSocket> UnixDatagramSocket::Bind(
    const SocketAddress& address) {
  return Bind(CurrentLoop(), address);
}

absl::StatusOr<UnixDatagramSocket> UnixDatagramSocket::Open(Loop& loop) {
  SocketCalls& sockets = loop.backend().sockets();
  SocketFd fd(sockets, sockets.Socket(AF_UNIX, SOCK_DGRAM));
  if (!fd.valid()) return ErrnoToStatus(-fd.get(), "Unix datagram socket");
  return TryAdopt(loop, std::move(fd));
}

absl::StatusOr<UnixDatagramSocket> UnixDatagramSocket::Open() {
  return Open(CurrentLoop());
}

absl::StatusOr<DatagramPair> UnixDatagramSocket::Pair(Loop& loop) {
  SocketCalls& sockets = loop.backend().sockets();
  int fds[2];
  if (const int error = sockets.Pair(SOCK_DGRAM, fds); error != 0)
    return ErrnoToStatus(-error, "socketpair");
  SocketFd first(sockets, fds[0]);
  SocketFd second(sockets, fds[1]);
  absl::StatusOr<UnixDatagramSocket> one = TryAdopt(loop, std::move(first));
  if (!one.ok()) return one.status();
  absl::StatusOr<UnixDatagramSocket> other = TryAdopt(loop, std::move(second));
  if (!other.ok()) return other.status();
  return DatagramPair(*std::move(one), *std::move(other));
}

absl::StatusOr<DatagramPair> UnixDatagramSocket::Pair() {
  return Pair(CurrentLoop());
}

UnixDatagramSocket UnixDatagramSocket::Adopt(Loop& loop, UniqueFd fd) {
  return Adopt(loop, internal::TakeOver(loop, std::move(fd)));
}

UnixDatagramSocket UnixDatagramSocket::Adopt(Loop& loop, SocketFd fd) {
  return UnixDatagramSocket(loop, std::move(fd));
}

}  // namespace ringway::net
