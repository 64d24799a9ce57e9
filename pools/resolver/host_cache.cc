// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/resolver/host_cache.h"

#include <new>

#include "ringway/core/time/clock.h"

namespace ringway::internal {

HostCache::Addresses HostCache::Find(const std::string& host) {
  DropExpired();
  const auto found = hosts_.find(host);
  return found == hosts_.end() ? nullptr : found->second.addresses;
}

void HostCache::Keep(const std::string& host,
                     const Addresses& addresses) noexcept {
  if (time_ == absl::ZeroDuration() || max_hosts_ == 0) return;
  while (hosts_.size() >= max_hosts_) DropOldest();
  static_cast<void>(TryToKeep(host, addresses));
}

bool HostCache::TryToKeep(const std::string& host, const Addresses& addresses) {
  try {
    // In this order: each in `hosts_` is in `by_age_`, without memory, too.
    by_age_.push_back(host);
    hosts_[host] = {addresses, Clock::Real().Now() + time_};
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void HostCache::DropOldest() {
  hosts_.erase(by_age_.front());
  by_age_.pop_front();
}

void HostCache::DropExpired() {
  if (by_age_.empty()) return;
  const MonotonicTime now = Clock::Real().Now();
  while (!by_age_.empty()) {
    const auto oldest = hosts_.find(by_age_.front());
    if (oldest != hosts_.end() && oldest->second.until > now) return;
    DropOldest();
  }
}

}  // namespace ringway::internal
