// SPDX-License-Identifier: Apache-2.0
//
// HostCache: addresses of hosts that are kept for a time.

#ifndef RINGWAY_POOLS_RESOLVER_HOST_CACHE_H_
#define RINGWAY_POOLS_RESOLVER_HOST_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/pools/resolver/host_lookup.h"

namespace ringway::internal {

// Threads: one at a time.
class HostCache {
 public:
  using Addresses = std::shared_ptr<const std::vector<HostAddress>>;

  // All are kept for `time`, 0: not at all; at most `max_hosts`, of which the
  // oldest go first.
  HostCache(absl::Duration time, uint32_t max_hosts)
      : time_(time), max_hosts_(max_hosts) {}

  // Null if they are not kept, or not any more.
  Addresses Find(const std::string& host);
  // Without memory they are not kept.
  void Keep(const std::string& host, const Addresses& addresses) noexcept;
  size_t size() const { return hosts_.size(); }

 private:
  struct Kept {
    Addresses addresses;
    MonotonicTime until;
  };

  bool TryToKeep(const std::string& host, const Addresses& addresses);
  void DropExpired();
  void DropOldest();

  const absl::Duration time_;
  const uint32_t max_hosts_;
  std::map<std::string, Kept> hosts_;
  std::deque<std::string> by_age_;  // the oldest first
};

}  // namespace ringway::internal

#endif  // RINGWAY_POOLS_RESOLVER_HOST_CACHE_H_
