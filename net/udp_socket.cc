// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/udp_socket.h"

#include <sys/socket.h>

#include <cerrno>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/socket/socket_core.h"

namespace ringway::net {

absl::StatusOr<UdpSocket> UdpSocket::Bind(Loop& loop,
                                          const SocketAddress& address,
                                          const UdpOptions& options) {
  if (address.family() != AF_INET && address.family() != AF_INET6) {
    return absl::InvalidArgumentError(
        absl::StrCat("a UDP socket cannot be bound to ", address.ToString()));
  }
  SocketCalls& sockets = loop.backend().sockets();
  SocketFd fd(sockets, sockets.Socket(address.family(), SOCK_DGRAM));
  if (!fd.valid()) {
    return ErrnoToStatus(-fd.get(),
                         absl::StrCat("UDP socket for ", address.ToString()));
  }
  absl::Status set =
      internal::SetUdpOptions(sockets, fd.get(), address.family(), options);
  if (!set.ok()) return set;
  const int error = sockets.Bind(fd.get(), address.data(), address.size());
  if (error != 0) {
    return ErrnoToStatus(-error,
                         absl::StrCat("bind UDP to ", address.ToString()));
  }
  try {
    return Adopt(loop, std::move(fd));
  } catch (const std::bad_alloc&) {
    return ErrnoToStatus(ENOMEM, "a UDP socket");
  }
}

absl::StatusOr<UdpSocket> UdpSocket::Bind(const SocketAddress& address,
                                          const UdpOptions& options) {
  return Bind(CurrentLoop(), address, options);
}

UdpSocket UdpSocket::Adopt(Loop& loop, UniqueFd fd) {
  return Adopt(loop, internal::TakeOver(loop, std::move(fd)));
}

UdpSocket UdpSocket::Adopt(Loop& loop, SocketFd fd) {
  return UdpSocket(loop, std::move(fd));
}

absl::Status UdpSocket::Disconnect() {
  absl::Status usable = CheckUsable();
  return usable.ok() ? core()->Disconnect() : usable;
}

absl::Status UdpSocket::Join(const MulticastGroup& group) {
  return SetMembership(group, /*join=*/true);
}

absl::Status UdpSocket::Leave(const MulticastGroup& group) {
  return SetMembership(group, /*join=*/false);
}

absl::Status UdpSocket::SetMembership(const MulticastGroup& group, bool join) {
  absl::Status usable = CheckUsable();
  if (!usable.ok()) return usable;
  return internal::SetMembership(core()->sockets(), core()->fd(), group, join);
}

}  // namespace ringway::net
