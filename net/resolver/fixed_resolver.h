// SPDX-License-Identifier: Apache-2.0
//
// FixedResolver: a Resolver that knows the hosts it was told, for tests and for
// programs whose peers are in their configuration.
//
//   net::FixedResolver resolver;
//   resolver.Add("db", *SocketAddress::Parse("10.0.0.7:0"));

#ifndef RINGWAY_NET_RESOLVER_FIXED_RESOLVER_H_
#define RINGWAY_NET_RESOLVER_FIXED_RESOLVER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/resolver/resolver.h"
#include "ringway/net/socket_address.h"

namespace ringway::net {

// Threads: any, once all hosts are added.
class FixedResolver : public Resolver {
 public:
  // One more address of `host`, tried after those added before. Its port does
  // not count. Names differ in more than case.
  void Add(std::string_view host, const SocketAddress& address);

  // As Resolver::Resolve(), without waiting. A numeric address need not be
  // added.
  Task<absl::StatusOr<std::vector<SocketAddress>>> Resolve(
      std::string host, uint16_t port) override;

 private:
  std::map<std::string, std::vector<SocketAddress>> addresses_;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_RESOLVER_FIXED_RESOLVER_H_
