// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/udp_socket.h"

#include <cerrno>
#include <new>
#include <utility>

#include "ringway/core/errno_status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/datagram/make_udp_socket.h"
#include "ringway/net/socket/socket_core.h"

namespace ringway::net {

absl::StatusOr<UdpSocket> UdpSocket::Bind(Loop& loop,
                                          const SocketAddress& address,
                                          const UdpOptions& options) {
  absl::StatusOr<SocketFd> fd =
      MakeUdpSocket(loop.backend().sockets(), address, options);
  if (!fd.ok()) return fd.status();
  try {
    return Adopt(loop, *std::move(fd));
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
