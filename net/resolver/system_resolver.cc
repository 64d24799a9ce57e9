// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/resolver/system_resolver.h"

#include <sys/socket.h>

#include <cstring>
#include <utility>

#include "ringway/core/process_wide.h"

namespace ringway {
namespace net {
namespace {

constinit ProcessWide<SystemResolver> default_resolver;

}  // namespace

absl::StatusOr<std::unique_ptr<SystemResolver>> SystemResolver::Create(
    const HostResolverOptions& options) {
  absl::StatusOr<std::unique_ptr<HostResolver>> hosts =
      HostResolver::Create(options);
  if (!hosts.ok()) return hosts.status();
  return std::unique_ptr<SystemResolver>(new SystemResolver(*std::move(hosts)));
}

SystemResolver::SystemResolver(std::unique_ptr<HostResolver> hosts)
    : hosts_(std::move(hosts)) {}

Task<absl::StatusOr<std::vector<SocketAddress>>> SystemResolver::Resolve(
    std::string host, uint16_t port) {
  const absl::StatusOr<SocketAddress> numeric = SocketAddress::Ip(host, port);
  if (numeric.ok()) co_return std::vector<SocketAddress>(1, *numeric);
  const absl::StatusOr<HostAddresses> found =
      co_await hosts_->LookUp(std::move(host));
  if (!found.ok()) co_return found.status();
  std::vector<SocketAddress> addresses;
  for (const HostAddress& each : **found) {
    const auto* address = reinterpret_cast<const sockaddr*>(&each.address);
    addresses.push_back(
        SocketAddress::FromSockaddr(address, each.n_bytes).WithPort(port));
  }
  co_return addresses;
}

Task<absl::StatusOr<std::string>> SystemResolver::NameOf(
    SocketAddress address) {
  HostAddress host;
  if (address.size() <= sizeof(host.address))
    memcpy(&host.address, address.data(), address.size());
  host.n_bytes = address.size();
  co_return co_await hosts_->NameOf(host);
}

SystemResolver& DefaultResolver() {
  return default_resolver.Get([] { return *SystemResolver::Create(); });
}

Task<absl::StatusOr<TcpStream>> Connect(std::string host, uint16_t port,
                                        ConnectOptions options) {
  return ConnectToHost(DefaultResolver(), std::move(host), port,
                       kConnectStagger, std::move(options));
}

SystemResolver* DefaultResolverIfMade() { return default_resolver.Find(); }

}  // namespace net

Task<absl::StatusOr<std::vector<net::SocketAddress>>> Resolve(std::string host,
                                                              uint16_t port) {
  return net::DefaultResolver().Resolve(std::move(host), port);
}

}  // namespace ringway
