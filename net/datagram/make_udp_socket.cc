// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/datagram/make_udp_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/socket/socket_option.h"

namespace ringway::net {

absl::StatusOr<SocketFd> MakeUdpSocket(SocketCalls& sockets,
                                       const SocketAddress& address,
                                       const UdpOptions& options) {
  if (address.family() != AF_INET && address.family() != AF_INET6) {
    return absl::InvalidArgumentError(
        absl::StrCat("a UDP socket cannot be bound to ", address.ToString()));
  }
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
  // Set after bind(), the flag did not let bind() join an existing group, but
  // lets others join this one.
  if (options.reuse_port && options.claim_port) {
    set = internal::SetSocketFlag(sockets, fd.get(), SOL_SOCKET, SO_REUSEPORT,
                                  true, "SO_REUSEPORT");
    if (!set.ok()) return set;
  }
  return fd;
}

absl::StatusOr<SocketFd> DuplicateUdpSocket(SocketCalls& sockets, int fd) {
  int protocol = 0;
  socklen_t length = sizeof(protocol);
  const int asked =
      sockets.GetOption(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, length);
  if (asked < 0 || protocol != IPPROTO_UDP)
    return absl::InvalidArgumentError(
        absl::StrCat("fd ", fd, " is no UDP socket"));
  SocketFd own(sockets, sockets.Duplicate(fd));
  const int error = own.valid() ? sockets.SetMode(own.get()) : own.get();
  if (error < 0)
    return ErrnoToStatus(-error, absl::StrCat("duplicating the UDP fd ", fd));
  return own;
}

}  // namespace ringway::net
