// SPDX-License-Identifier: Apache-2.0
//
// Resolver: turns the name of a host into addresses. An interface, so that
// programs choose how, and tests need no network.

#ifndef RINGWAY_NET_RESOLVER_RESOLVER_H_
#define RINGWAY_NET_RESOLVER_RESOLVER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {

class Resolver {
 public:
  virtual ~Resolver() = default;

  // The addresses of `host`, a name or a numeric address, with `port`, in the
  // order to try them; at least one.
  //
  // Errors:       NotFound: there is no such host, or it has no address.
  //               Unavailable: it could not be found out now. Cancelled.
  // Ownership:    the resolver must outlive the await.
  // Cancellation: ends the wait.
  virtual Task<absl::StatusOr<std::vector<SocketAddress>>> Resolve(
      std::string host, uint16_t port) = 0;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_RESOLVER_RESOLVER_H_
