// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/resolver/connect_host.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "ringway/executor/structured/first_ok.h"

namespace ringway::net {
namespace {

// `options` must outlive the await.
Task<absl::StatusOr<TcpStream>> Attempt(SocketAddress address,
                                        const ConnectOptions& options) {
  co_return co_await Connect(address, options);
}

// `status` with the host in front; keeps its code and errno.
absl::Status AtHost(const std::string& host, const absl::Status& status) {
  absl::Status named(status.code(),
                     absl::StrCat("host ", host, ": ", status.message()));
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
    named.SetPayload(type, payload);
  });
  return named;
}

}  // namespace

std::vector<SocketAddress> InOrderOfAttempts(
    std::vector<SocketAddress> addresses) {
  std::vector<SocketAddress> others;
  size_t n_first = 0;  // of the first one's family, moved to the front
  for (SocketAddress& address : addresses) {
    if (address.family() == addresses.front().family()) {
      addresses[n_first++] = address;
    } else {
      others.push_back(address);
    }
  }
  std::vector<SocketAddress> ordered;
  for (size_t i = 0; i < std::max(n_first, others.size()); ++i) {
    if (i < n_first) ordered.push_back(addresses[i]);
    if (i < others.size()) ordered.push_back(others[i]);
  }
  return ordered;
}

Task<absl::StatusOr<TcpStream>> ConnectAny(std::vector<SocketAddress> addresses,
                                           absl::Duration stagger,
                                           ConnectOptions options) {
  if (addresses.empty())
    co_return absl::InvalidArgumentError("no address to connect to");
  if (options.fast_open)
    co_return absl::InvalidArgumentError(
        "with fast_open no address shows that it answers");
  std::vector<Task<absl::StatusOr<TcpStream>>> attempts;
  for (const SocketAddress& address : InOrderOfAttempts(std::move(addresses)))
    attempts.push_back(Attempt(address, options));
  Task<absl::StatusOr<TcpStream>> first = FirstOk(std::move(attempts), stagger);
  co_return co_await std::move(first);
}

Task<absl::StatusOr<TcpStream>> ConnectToHost(Resolver& resolver,
                                              std::string host, uint16_t port,
                                              absl::Duration stagger,
                                              ConnectOptions options) {
  absl::StatusOr<std::vector<SocketAddress>> addresses =
      co_await resolver.Resolve(host, port);
  if (!addresses.ok()) co_return AtHost(host, addresses.status());
  absl::StatusOr<TcpStream> stream =
      co_await ConnectAny(*std::move(addresses), stagger, std::move(options));
  if (!stream.ok()) co_return AtHost(host, stream.status());
  co_return stream;
}

}  // namespace ringway::net
