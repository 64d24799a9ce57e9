// SPDX-License-Identifier: Apache-2.0
//
// AddressPrefix: a range of IP addresses, such as 10.0.0.0/8 or fd00::/8, for
// lists of clients that are allowed or refused.
//
//   absl::StatusOr<AddressPrefix> allowed = AddressPrefix::Parse("10.0.0.0/8");
//   const bool admitted = allowed->Contains(peer);

#ifndef RINGWAY_NET_ADDRESS_PREFIX_H_
#define RINGWAY_NET_ADDRESS_PREFIX_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ringway/core/compiler.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {

class AddressPrefix {
 public:
  // Parses "10.0.0.0/8", "fd00::/8", or an address without a length, which is a
  // range of one. A range of IPv4 addresses mapped into IPv6 is one of IPv4
  // addresses: "::ffff:10.0.0.0/104" is 10.0.0.0/8.
  //
  // Errors: InvalidArgument with the text and what is wrong with it: no
  //         address, a length that is no number or too large, a scope, bits
  //         behind the prefix ("10.1.0.0/8").
  static absl::StatusOr<AddressPrefix> Parse(std::string_view text);

  // True if the address of `address` is in the range. Ports and scopes do not
  // count; an IPv4 address mapped into IPv6 is in ranges of IPv4 addresses
  // only. Unix addresses are in none.
  bool Contains(const SocketAddress& address) const;

  // The number of leading bits that all its addresses share.
  int length() const { return length_; }
  std::string ToString() const;

  friend bool operator==(const AddressPrefix&, const AddressPrefix&) = default;

 private:
  AddressPrefix(const SocketAddress& first, int length)
      : first_(first), length_(length) {}

  SocketAddress first_;
  int length_;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_ADDRESS_PREFIX_H_
