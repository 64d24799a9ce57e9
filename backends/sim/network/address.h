// SPDX-License-Identifier: Apache-2.0
//
// Address: a sockaddr as a value. IPv4 and Unix; a simulated host is an IPv4
// address.

#ifndef RINGWAY_BACKENDS_SIM_NETWORK_ADDRESS_H_
#define RINGWAY_BACKENDS_SIM_NETWORK_ADDRESS_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>

namespace ringway::sim {

struct Address {
  sa_family_t family = AF_UNSPEC;
  uint16_t port = 0;  // both in host byte order
  uint32_t ip = 0;
  std::string path;  // Unix; abstract ones begin with NUL, "" has no name

  friend auto operator<=>(const Address&, const Address&) = default;

  bool is_any() const { return ip == INADDR_ANY; }
  bool is_loopback() const { return ip >> 24 == 127; }
  // True for a multicast address or the local broadcast.
  bool is_of_many() const { return ip >> 28 == 14 || ip == INADDR_BROADCAST; }
  bool is_abstract() const { return !path.empty() && path[0] == '\0'; }

  // Parses a sockaddr. 0, or -errno: EINVAL if it is too short or too long,
  // EAFNOSUPPORT if it is of another family than `family`.
  static int Parse(const void* data, size_t n_bytes, sa_family_t family,
                   Address* out);

  // Writes as much of the sockaddr as fits. Returns its length.
  socklen_t Store(void* out, socklen_t room) const;
};

inline Address Ipv4(uint32_t ip, uint16_t port) {
  Address address;
  address.family = AF_INET;
  address.ip = ip;
  address.port = port;
  return address;
}

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_NETWORK_ADDRESS_H_
