// SPDX-License-Identifier: Apache-2.0
//
// SystemResolver: a Resolver that asks the C library, on threads of its own.
// Resolve(), Connect(): the same for those who need not choose.
//
//   absl::StatusOr<std::vector<net::SocketAddress>> addresses =
//       co_await ringway::Resolve("example.org", 443);
//   absl::StatusOr<net::TcpStream> stream = co_await WithTimeout(
//       absl::Seconds(5), net::Connect("example.org", 443));

#ifndef RINGWAY_NET_RESOLVER_SYSTEM_RESOLVER_H_
#define RINGWAY_NET_RESOLVER_SYSTEM_RESOLVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task.h"
#include "ringway/net/resolver/connect_host.h"
#include "ringway/net/resolver/resolver.h"
#include "ringway/net/socket_address.h"
#include "ringway/net/tcp_stream.h"
#include "ringway/pools/resolver/host_resolver.h"

namespace ringway {
namespace net {

// Threads: any.
class SystemResolver : public Resolver {
 public:
  // Errors: InvalidArgument naming the option.
  static absl::StatusOr<std::unique_ptr<SystemResolver>> Create(
      const HostResolverOptions& options = HostResolverOptions());

  // As Resolver::Resolve(). A numeric address needs no thread. Equal names that
  // are asked for at the same time are looked up once.
  //
  // Errors: also InvalidArgument for what can be no host; ResourceExhausted
  //         naming HostResolverOptions' limits.
  Task<absl::StatusOr<std::vector<SocketAddress>>> Resolve(
      std::string host, uint16_t port) override;

  // The name of the host that has `address`, whose port does not count.
  //
  // Errors: NotFound: it has no name. InvalidArgument for an address that is
  //         neither IPv4 nor IPv6. Otherwise as Resolve().
  Task<absl::StatusOr<std::string>> NameOf(SocketAddress address);

  HostResolverStats stats() const { return hosts_->stats(); }

  // See HostResolver::End().
  void End() { hosts_->End(); }

 private:
  explicit SystemResolver(std::unique_ptr<HostResolver> hosts);

  const std::unique_ptr<HostResolver> hosts_;
};

// The one that all of the process share, with default options, made by the
// first call; in a forked child another one.
SystemResolver& DefaultResolver();
// The same, or null before that call.
SystemResolver* DefaultResolverIfMade();

// From now on ringway::Resolve() and Connect() in tasks of `executor` ask
// `resolver`; null: the process's again.
//
// Threads: the executor's only (checked).
void SetResolver(Executor& executor, std::shared_ptr<SystemResolver> resolver);

// Connects to `host`, a name or a numeric address: ConnectToHost() with the
// resolver of this executor.
Task<absl::StatusOr<TcpStream>> Connect(
    std::string host, uint16_t port, ConnectOptions options = ConnectOptions());

}  // namespace net

// Resolve() of what SetResolver() gave the task's executor, else of
// DefaultResolver().
Task<absl::StatusOr<std::vector<net::SocketAddress>>> Resolve(std::string host,
                                                              uint16_t port);

}  // namespace ringway

#endif  // RINGWAY_NET_RESOLVER_SYSTEM_RESOLVER_H_
