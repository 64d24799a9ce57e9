// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/resolver/fixed_resolver.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace ringway::net {

void FixedResolver::Add(std::string_view host, const SocketAddress& address) {
  addresses_[absl::AsciiStrToLower(host)].push_back(address);
}

Task<absl::StatusOr<std::vector<SocketAddress>>> FixedResolver::Resolve(
    std::string host, uint16_t port) {
  const absl::StatusOr<SocketAddress> numeric = SocketAddress::Ip(host, port);
  if (numeric.ok()) co_return std::vector<SocketAddress>(1, *numeric);
  const auto found = addresses_.find(absl::AsciiStrToLower(host));
  if (found == addresses_.end())
    co_return absl::NotFoundError(absl::StrCat("no host \"", host, "\""));
  std::vector<SocketAddress> addresses;
  for (const SocketAddress& address : found->second)
    addresses.push_back(address.WithPort(port));
  co_return addresses;
}

}  // namespace ringway::net
