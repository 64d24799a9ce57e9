// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/listen_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/socket_option.h"
#include "ringway/net/stale_unix_socket.h"

namespace ringway::net {
namespace {

using internal::SetSocketFlag;
using internal::SetV6Only;

absl::Status SetReusePort(int fd) {
  return SetSocketFlag(fd, SOL_SOCKET, SO_REUSEPORT, true, "SO_REUSEPORT");
}

absl::Status Configure(int fd, const SocketAddress& address,
                       const ListenOptions& options) {
  if (address.is_unix()) return internal::RemoveStaleUnixSocket(address);
  absl::Status status =
      SetSocketFlag(fd, SOL_SOCKET, SO_REUSEADDR, true, "SO_REUSEADDR");
  if (status.ok() && options.reuse_port && !options.claim_port) {
    status = SetReusePort(fd);
  }
  if (status.ok() && address.family() == AF_INET6) {
    status = SetV6Only(fd, options.v6_only);
  }
  // Accepted sockets inherit it: one call here instead of one per connection.
  if (status.ok())
    status = SetSocketFlag(fd, IPPROTO_TCP, TCP_NODELAY, options.no_delay,
                           "TCP_NODELAY");
  return status;
}

bool IsMappedIPv4(const SocketAddress& address) {
  return address.family() == AF_INET6 &&
         IN6_IS_ADDR_V4MAPPED(
             &reinterpret_cast<const sockaddr_in6*>(address.data())->sin6_addr);
}

absl::StatusOr<UniqueFd> MakeSocket(const SocketAddress& address) {
  UniqueFd fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.valid()) return fd;
  return ErrnoToStatus(errno, absl::StrCat("socket for ", address.ToString()));
}

}  // namespace

absl::StatusOr<UniqueFd> MakeListenSocket(const SocketAddress& address,
                                          const ListenOptions& options) {
  absl::StatusOr<UniqueFd> fd = MakeSocket(address);
  if (!fd.ok()) return fd;
  if (absl::Status s = Configure(fd->get(), address, options); !s.ok())
    return s;
  if (bind(fd->get(), address.data(), address.size()) != 0) {
    return ErrnoToStatus(errno, absl::StrCat("bind to ", address.ToString()));
  }
  // Set only now, the flag has not let bind() join somebody else's group, but
  // lets others join this one.
  if (options.claim_port && options.reuse_port && !address.is_unix()) {
    if (absl::Status s = SetReusePort(fd->get()); !s.ok()) return s;
  }
  if (listen(fd->get(), options.backlog) != 0) {
    return ErrnoToStatus(errno, absl::StrCat("listen on ", address.ToString()));
  }
  return fd;
}

absl::StatusOr<UniqueFd> DuplicateSocket(const UniqueFd& socket) {
  UniqueFd fd(fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
  if (fd.valid()) return fd;
  return ErrnoToStatus(errno, absl::StrCat("duplicating fd ", socket.get()));
}

absl::StatusOr<UniqueFd> MakeStreamSocket(const SocketAddress& address) {
  absl::StatusOr<UniqueFd> fd = MakeSocket(address);
  if (!fd.ok() || address.is_unix()) return fd;
  if (IsMappedIPv4(address)) {
    // One that is for IPv6 only cannot reach it.
    if (absl::Status s = SetV6Only(fd->get(), false); !s.ok()) return s;
  }
  absl::Status status =
      SetSocketFlag(fd->get(), IPPROTO_TCP, TCP_NODELAY, true, "TCP_NODELAY");
  if (!status.ok()) return status;
  return fd;
}

}  // namespace ringway::net
