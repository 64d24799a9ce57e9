// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/listening/listen_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/listening/stale_name.h"
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

absl::Status SetStream(const SocketFd& fd, const SocketAddress& address,
                       const StreamOptions& options) {
  return internal::SetStreamOptions(fd.calls(), fd.get(), address.family(),
                                    options);
}

// Sets `option` of TCP to `value` unless that is 0.
absl::Status SetNumber(const SocketFd& fd, int option, int64_t value,
                       std::string_view name) {
  if (value == 0) return absl::OkStatus();
  if (value < 0 || value > INT_MAX)
    return absl::InvalidArgumentError(absl::StrCat(name, "=", value));
  const int number = static_cast<int>(value);
  const int error = fd.calls().SetOption(fd.get(), IPPROTO_TCP, option, &number,
                                         sizeof(number));
  if (error == 0) return absl::OkStatus();
  return ErrnoToStatus(-error, absl::StrCat("setsockopt ", name));
}

absl::Status Configure(const SocketFd& fd, const SocketAddress& address,
                       const ListenOptions& options) {
  // Accepted sockets inherit them, which saves calls per connection.
  absl::Status stream = SetStream(fd, address, options.stream);
  if (!stream.ok()) return stream;
  if (address.is_unix()) return internal::RemoveStaleName(fd.calls(), address);
  absl::Status status =
      SetFlag(fd, SOL_SOCKET, SO_REUSEADDR, true, "SO_REUSEADDR");
  if (status.ok() && options.reuse_port && !options.claim_port) {
    status = SetReusePort(fd);
  }
  if (status.ok() && address.family() == AF_INET6) {
    status = SetV6Only(fd.calls(), fd.get(), options.v6_only);
  }
  if (status.ok() && !options.stream.no_delay) {
    status =
        SetFlag(fd, IPPROTO_TCP, TCP_NODELAY, options.no_delay, "TCP_NODELAY");
  }
  if (status.ok()) {
    status = SetNumber(fd, TCP_DEFER_ACCEPT,
                       absl::ToInt64Seconds(options.defer_accept),
                       "TCP_DEFER_ACCEPT");
  }
  if (status.ok()) {
    status =
        SetNumber(fd, TCP_FASTOPEN, options.fast_open_queue, "TCP_FASTOPEN");
  }
  return status;
}

bool IsMappedIPv4(const SocketAddress& address) {
  return address.Unmapped().family() != address.family();
}

// What a system without Multipath TCP returns: EINVAL before Linux 5.6,
// EPROTONOSUPPORT if built without it, ENOPROTOOPT where it is switched off.
bool LacksProtocol(int made) {
  return made == -EINVAL || made == -EPROTONOSUPPORT || made == -ENOPROTOOPT;
}

absl::StatusOr<SocketFd> MakeSocket(SocketCalls& sockets,
                                    const SocketAddress& address, int type,
                                    bool multipath) {
  if (type == SOCK_SEQPACKET && !address.is_unix()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "sequenced packets are for Unix addresses: ", address.ToString()));
  }
  const int family = address.family();
  int made = -EPROTONOSUPPORT;
  if (multipath && !address.is_unix())
    made = sockets.Socket(family, type, IPPROTO_MPTCP);
  if (LacksProtocol(made)) made = sockets.Socket(family, type);
  if (made >= 0) return SocketFd(sockets, made);
  return Failed(made, "socket for", address);
}

}  // namespace

absl::StatusOr<SocketFd> MakeListenSocket(SocketCalls& sockets,
                                          const SocketAddress& address,
                                          const ListenOptions& options,
                                          int type) {
  absl::StatusOr<SocketFd> fd =
      MakeSocket(sockets, address, type, options.multipath);
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

absl::StatusOr<SocketFd> DuplicateListenSocket(SocketCalls& sockets, int fd) {
  const auto is = [&](int option) {
    int value = 0;
    socklen_t length = sizeof(value);
    const int error = sockets.GetOption(fd, SOL_SOCKET, option, &value, length);
    return error < 0 ? error : value;
  };
  if (is(SO_ACCEPTCONN) != 1 || is(SO_TYPE) != SOCK_STREAM) {
    return absl::InvalidArgumentError(
        absl::StrCat("fd ", fd, " is no stream socket that listens"));
  }
  SocketFd own(sockets, sockets.Duplicate(fd));
  const int error = own.valid() ? sockets.SetMode(own.get()) : own.get();
  if (error < 0) {
    return ErrnoToStatus(-error,
                         absl::StrCat("duplicating the listening fd ", fd));
  }
  return own;
}

absl::StatusOr<SocketFd> MakeStreamSocket(SocketCalls& sockets,
                                          const SocketAddress& address,
                                          const ConnectOptions& options,
                                          int type) {
  absl::StatusOr<SocketFd> fd =
      MakeSocket(sockets, address, type, options.multipath);
  if (!fd.ok()) return fd;
  absl::Status status = SetStream(*fd, address, options.stream);
  // One that is for IPv6 only cannot reach an IPv4 address.
  if (status.ok() && IsMappedIPv4(address))
    status = SetV6Only(sockets, fd->get(), false);
  if (status.ok() && !address.is_unix() && !options.stream.no_delay)
    status = SetFlag(*fd, IPPROTO_TCP, TCP_NODELAY, true, "TCP_NODELAY");
  if (status.ok() && !address.is_unix() && options.fast_open) {
    status = SetFlag(*fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, true,
                     "TCP_FASTOPEN_CONNECT");
  }
  if (!status.ok()) return status;
  const SocketAddress& local = options.local;
  if (local.family() != AF_UNSPEC) {
    const int error = sockets.Bind(fd->get(), local.data(), local.size());
    if (error != 0) return Failed(error, "bind to", local);
  }
  return fd;
}

}  // namespace ringway::net
