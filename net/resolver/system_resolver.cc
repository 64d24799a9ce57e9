// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/resolver/system_resolver.h"

#include <sys/socket.h>

#include <cstring>
#include <utility>

#include "ringway/core/process_wide.h"

namespace ringway {
namespace net {
namespace {

struct ResolverOfExecutor {
  std::shared_ptr<SystemResolver> resolver;
};

constinit ProcessWide<SystemResolver> default_resolver;

// The resolver of the executor that this thread runs. Its owner keeps it for a
// while if the executor is given another one; the process's has none.
SystemResolver& ResolverHere(std::shared_ptr<SystemResolver>& owner) {
  owner = CurrentExecutor().locals().Get<ResolverOfExecutor>().resolver;
  return owner != nullptr ? *owner : DefaultResolver();
}

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

SystemResolver* DefaultResolverIfMade() { return default_resolver.Find(); }

void SetResolver(Executor& executor, std::shared_ptr<SystemResolver> resolver) {
  executor.locals().Get<ResolverOfExecutor>().resolver = std::move(resolver);
}

Task<absl::StatusOr<TcpStream>> Connect(std::string host, uint16_t port,
                                        ConnectOptions options) {
  std::shared_ptr<SystemResolver> owner;
  SystemResolver& resolver = ResolverHere(owner);
  Task<absl::StatusOr<TcpStream>> connect = ConnectToHost(
      resolver, std::move(host), port, kConnectStagger, std::move(options));
  co_return co_await std::move(connect);
}

}  // namespace net

Task<absl::StatusOr<std::vector<net::SocketAddress>>> Resolve(std::string host,
                                                              uint16_t port) {
  std::shared_ptr<net::SystemResolver> owner;
  net::SystemResolver& resolver = net::ResolverHere(owner);
  co_return co_await resolver.Resolve(std::move(host), port);
}

}  // namespace ringway
