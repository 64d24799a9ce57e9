// SPDX-License-Identifier: Apache-2.0
//
// Boolean socket options.

#ifndef RINGWAY_NET_SOCKET_SOCKET_OPTION_H_
#define RINGWAY_NET_SOCKET_SOCKET_OPTION_H_

#include <string_view>

#include "absl/status/status.h"
#include "ringway/backends/socket_calls.h"

namespace ringway::net::internal {

// Sets `option`, one of those that take an int, to 1 or 0.
//
// Errors: the errno of setsockopt(2), naming the option as `name`.
absl::Status SetSocketFlag(SocketCalls& sockets, int fd, int level, int option,
                           bool value, std::string_view name);

// Sets whether an IPv6 socket is for IPv6 only. Call it for every IPv6 socket:
// the default depends on the sysctl net.ipv6.bindv6only.
absl::Status SetV6Only(SocketCalls& sockets, int fd, bool value);

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_SOCKET_SOCKET_OPTION_H_
