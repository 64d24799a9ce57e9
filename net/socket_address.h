// SPDX-License-Identifier: Apache-2.0
//
// SocketAddress: an IPv4, IPv6 or Unix socket address as a value that can be
// parsed, printed and passed to the kernel. Numeric only: it does not resolve
// names.
//
//   absl::StatusOr<SocketAddress> address = SocketAddress::Parse("[::1]:7878");

#ifndef RINGWAY_NET_SOCKET_ADDRESS_H_
#define RINGWAY_NET_SOCKET_ADDRESS_H_

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ringway/backends/socket_calls.h"
#include "ringway/core/compiler.h"

namespace ringway::net {

class SocketAddress {
 public:
  // No address: family() is AF_UNSPEC.
  SocketAddress() = default;

  // Parses "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80", "unix:/path" or
  // "unix:@name" (the abstract namespace).
  //
  // Errors: InvalidArgument with the text and what is wrong with it; NotFound
  //         for an unknown interface in a scope.
  static absl::StatusOr<SocketAddress> Parse(std::string_view text);

  // A Unix path, or "@name". InvalidArgument if empty, too long for the kernel
  // (107 bytes), or with a NUL inside.
  static absl::StatusOr<SocketAddress> Unix(std::string_view path);

  // Copies an address that the kernel filled in.
  static SocketAddress FromSockaddr(const sockaddr* address, socklen_t length);

  // The address to which `fd`, one of `sockets`, is bound or connected.
  //
  // Errors: the errno of getsockname(2) or getpeername(2).
  static absl::StatusOr<SocketAddress> LocalOf(SocketCalls& sockets, int fd);
  static absl::StatusOr<SocketAddress> PeerOf(SocketCalls& sockets, int fd);

  const sockaddr* data() const {
    return reinterpret_cast<const sockaddr*>(&storage_);
  }
  socklen_t size() const { return length_; }
  int family() const { return storage_.ss_family; }
  bool is_unix() const { return family() == AF_UNIX; }

  // 0 for Unix addresses.
  uint16_t port() const;
  // The same address with another port; unchanged for Unix addresses.
  SocketAddress WithPort(uint16_t port) const;

  // The path of a Unix address; empty for abstract and unnamed ones, and for
  // all others.
  std::string unix_path() const;

  // In the form that Parse() accepts. An unnamed Unix socket prints as "unix:".
  std::string ToString() const;

  friend bool operator==(const SocketAddress& a, const SocketAddress& b);

 private:
  sockaddr_storage storage_ = {};
  socklen_t length_ = 0;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_SOCKET_ADDRESS_H_
