// SPDX-License-Identifier: Apache-2.0
//
// LookUpHost, LookUpName: the C library's getaddrinfo(3) and getnameinfo(3),
// with its own rules (/etc/hosts, /etc/nsswitch.conf, /etc/resolv.conf). They
// block for as long as the network takes.

#ifndef RINGWAY_POOLS_RESOLVER_HOST_LOOKUP_H_
#define RINGWAY_POOLS_RESOLVER_HOST_LOOKUP_H_

#include <sys/socket.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ringway {

// An IPv4 or IPv6 address, with port 0.
struct HostAddress {
  sockaddr_storage address = {};
  socklen_t n_bytes = 0;
};

// All addresses of `host`, a name or a numeric address, in the order to try
// them (RFC 6724, section 6), each once; at least one.
//
// Errors: NotFound: there is no such host, or it has no address. Unavailable:
//         that could not be found out now. InvalidArgument: this can be no
//         host. ResourceExhausted: no memory, or no fd.
absl::StatusOr<std::vector<HostAddress>> LookUpHost(const std::string& host);

// The name of the host that has `address`, whose port does not count.
//
// Errors: the same; InvalidArgument for another kind of address.
absl::StatusOr<std::string> LookUpName(const HostAddress& address);

}  // namespace ringway

#endif  // RINGWAY_POOLS_RESOLVER_HOST_LOOKUP_H_
