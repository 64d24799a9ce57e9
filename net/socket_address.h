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

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

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

  // The address "127.0.0.1", "::1" or "fe80::1%eth0", without brackets, and a
  // port. Errors as for Parse().
  static absl::StatusOr<SocketAddress> Ip(std::string_view host, uint16_t port);

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

  // Kinds of IP addresses. An IPv4 address mapped into IPv6 is of the kind that
  // it is as an IPv4 address.
  bool is_loopback() const;     // 127.0.0.0/8, ::1
  bool is_private() const;      // RFC 1918, RFC 4193 (fc00::/7)
  bool is_link_local() const;   // 169.254.0.0/16, fe80::/10
  bool is_multicast() const;    // 224.0.0.0/4, ff00::/8
  bool is_unspecified() const;  // 0.0.0.0, ::

  // "127.0.0.1", "fe80::1%eth0"; empty for Unix addresses.
  std::string host() const;
  // 0 for Unix addresses.
  uint16_t port() const;
  // The index of the interface of an IPv6 address, 0 if it has none.
  uint32_t scope() const;

  // The IPv4 address that is mapped into this IPv6 address, with the same port;
  // otherwise this address. Sockets for IPv6 that accept IPv4 clients, too,
  // report their peers as [::ffff:10.0.0.1]:51234.
  SocketAddress Unmapped() const;
  // The same address with another port; unchanged for Unix addresses.
  SocketAddress WithPort(uint16_t port) const;

  // The path of a Unix address; empty for abstract and unnamed ones, and for
  // all others.
  std::string unix_path() const;

  // In the form that Parse() accepts. An unnamed Unix socket prints as "unix:".
  std::string ToString() const;

  // By family, address, port and scope; the flow label of IPv6 does not count.
  // The order is that of the addresses' bytes, IPv4 before IPv6.
  friend std::strong_ordering operator<=>(const SocketAddress& a,
                                          const SocketAddress& b);
  friend bool operator==(const SocketAddress& a, const SocketAddress& b) {
    return (a <=> b) == 0;
  }
  template <typename H>
  friend H AbslHashValue(H state, const SocketAddress& address) {
    return H::combine(std::move(state), address.family(), address.Bytes(),
                      address.port(), address.scope());
  }

  // What distinguishes it from others of its family: 4 or 16 bytes in network
  // order, a path with its NUL, or an abstract name with the NUL before it.
  std::string_view Bytes() const;

 private:
  sockaddr_storage storage_ = {};
  socklen_t length_ = 0;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_SOCKET_ADDRESS_H_
