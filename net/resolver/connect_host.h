// SPDX-License-Identifier: Apache-2.0
//
// ConnectAny: connects to the first of several addresses that answers.
// ConnectToHost: the same for the addresses of a host.
//
//   absl::StatusOr<TcpStream> stream = co_await WithTimeout(
//       absl::Seconds(5), net::ConnectToHost(resolver, "example.org", 443));

#ifndef RINGWAY_NET_RESOLVER_CONNECT_HOST_H_
#define RINGWAY_NET_RESOLVER_CONNECT_HOST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/connect.h"
#include "ringway/net/resolver/resolver.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tcp_stream.h"

namespace ringway::net {

// How long an attempt has before the next address is tried beside it: the
// recommendation of RFC 8305, section 5.
inline constexpr absl::Duration kConnectStagger = absl::Milliseconds(250);

// The order in which ConnectAny() tries `addresses`: IPv6 and IPv4 by turns,
// beginning with the family of the first, otherwise as they are (RFC 8305,
// section 4). A host whose IPv6 does not work costs one stagger, not one for
// each of its addresses.
std::vector<SocketAddress> InOrderOfAttempts(
    std::vector<SocketAddress> addresses);

// Connects to the address that answers first ("happy eyeballs"): tries the next
// one when an attempt fails, or has not succeeded within `stagger`, which may
// be infinite; the others are cancelled and have ended when it returns. Each
// attempt has `options`.
//
// Errors:       InvalidArgument without an address, and for
//               ConnectOptions::fast_open, with which connecting does not
//               show that an address answers. If none does, the first failure,
//               with the number of the others (Connect() has the kinds); with
//               ConnectOptions::local that is any address of another family.
//               Cancelled.
// Cancellation: cancels all attempts and waits for them.
// Cost:         a task for each attempt.
Task<absl::StatusOr<TcpStream>> ConnectAny(
    std::vector<SocketAddress> addresses,
    absl::Duration stagger = kConnectStagger,
    ConnectOptions options = ConnectOptions());

// ConnectAny() to the addresses that `resolver`, which must outlive the await,
// has for `host`.
//
// Errors: those of Resolve() and ConnectAny(); the message names the host.
Task<absl::StatusOr<TcpStream>> ConnectToHost(
    Resolver& resolver, std::string host, uint16_t port,
    absl::Duration stagger = kConnectStagger,
    ConnectOptions options = ConnectOptions());

}  // namespace ringway::net

#endif  // RINGWAY_NET_RESOLVER_CONNECT_HOST_H_
