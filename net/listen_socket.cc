// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/listen_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/socket/socket_option.h"

namespace ringway::net {
namespace {

using internal::SetSocketFlag;
using internal::SetV6Only;

absl::Status Failed(int error, std::string_view what,
                    const SocketAddress& address) {
  return ErrnoToStatus(-error, absl::StrCat(what, " ", address.ToString()));
}

absl::Status SetFlag(const SocketFd& fd, int level, int option, bool value,
                     std::string_view name) {
  return SetSocketFlag(fd.calls(), fd.get(), level, option, value, name);
}

absl::Status SetReusePort(const SocketFd& fd) {
  return SetFlag(fd, SOL_SOCKET, SO_REUSEPORT, true, "SO_REUSEPORT");
}

absl::Status RemoveStaleName(SocketCalls& sockets,
                             const SocketAddress& address) {
  const int error = sockets.RemoveStaleName(address.data(), address.size());
  if (error == 0) return absl::OkStatus();
  const std::string bind = absl::StrCat("bind to ", address.ToString());
  switch (-error) {
    case EEXIST:
      return ErrnoToStatus(
          EADDRINUSE,
          absl::StrCat(bind, ": a file that is not a socket exists there"));
    case EAGAIN:
      return ErrnoToStatus(EADDRINUSE,
                           absl::StrCat(bind,
                                        ": a stale socket in a directory that "
                                        "another process keeps locked"));
    default:
      return ErrnoToStatus(-error, bind);
  }
}

absl::Status Configure(const SocketFd& fd, const SocketAddress& address,
                       const ListenOptions& options) {
  if (address.is_unix()) return RemoveStaleName(fd.calls(), address);
  absl::Status status =
      SetFlag(fd, SOL_SOCKET, SO_REUSEADDR, true, "SO_REUSEADDR");
  if (status.ok() && options.reuse_port && !options.claim_port) {
    status = SetReusePort(fd);
  }
  if (status.ok() && address.family() == AF_INET6) {
    status = SetV6Only(fd.calls(), fd.get(), options.v6_only);
  }
  // Accepted sockets inherit it, which saves a call per connection.
  if (status.ok()) {
    status =
        SetFlag(fd, IPPROTO_TCP, TCP_NODELAY, options.no_delay, "TCP_NODELAY");
  }
  return status;
}

bool IsMappedIPv4(const SocketAddress& address) {
  return address.Unmapped().family() != address.family();
}

absl::StatusOr<SocketFd> MakeSocket(SocketCalls& sockets,
                                    const SocketAddress& address) {
  SocketFd fd(sockets, sockets.Socket(address.family(), SOCK_STREAM));
  if (fd.valid()) return fd;
  return Failed(fd.get(), "socket for", address);
}

}  // namespace

absl::StatusOr<SocketFd> MakeListenSocket(SocketCalls& sockets,
                                          const SocketAddress& address,
                                          const ListenOptions& options) {
  absl::StatusOr<SocketFd> fd = MakeSocket(sockets, address);
  if (!fd.ok()) return fd;
  if (absl::Status s = Configure(*fd, address, options); !s.ok()) return s;
  int error = sockets.Bind(fd->get(), address.data(), address.size());
  if (error != 0) return Failed(error, "bind to", address);
  // Set after bind(), the flag did not let bind() join an existing group, but
  // lets others join this one.
  if (options.claim_port && options.reuse_port && !address.is_unix()) {
    if (absl::Status s = SetReusePort(*fd); !s.ok()) return s;
  }
  error = sockets.Listen(fd->get(), options.backlog);
  if (error != 0) return Failed(error, "listen on", address);
  return fd;
}

absl::StatusOr<SocketFd> DuplicateSocket(const SocketFd& socket) {
  if (!socket.valid()) return ErrnoToStatus(EBADF, "duplicating a socket");
  SocketCalls& sockets = socket.calls();
  SocketFd fd(sockets, sockets.Duplicate(socket.get()));
  if (fd.valid()) return fd;
  return ErrnoToStatus(-fd.get(),
                       absl::StrCat("duplicating fd ", socket.get()));
}

absl::StatusOr<SocketFd> MakeStreamSocket(SocketCalls& sockets,
                                          const SocketAddress& address) {
  absl::StatusOr<SocketFd> fd = MakeSocket(sockets, address);
  if (!fd.ok() || address.is_unix()) return fd;
  if (IsMappedIPv4(address)) {
    // One that is for IPv6 only cannot reach it.
    if (absl::Status s = SetV6Only(sockets, fd->get(), false); !s.ok())
      return s;
  }
  absl::Status status =
      SetFlag(*fd, IPPROTO_TCP, TCP_NODELAY, true, "TCP_NODELAY");
  if (!status.ok()) return status;
  return fd;
}

}  // namespace ringway::net
