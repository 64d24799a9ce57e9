// SPDX-License-Identifier: Apache-2.0

#include "ringway/http/client/pool.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ringway::http::internal {

std::shared_ptr<PoolHost> Pool::HostOf(const Url& url) {
  const std::string key = absl::StrCat(url.scheme(), "://", url.authority);
  if (const auto found = hosts_.find(key); found != hosts_.end())
    return found->second;
  if (hosts_.size() >= sweep_at_) {
    absl::erase_if(hosts_, [](const auto& entry) {
      return entry.second.use_count() == 1 && entry.second->unused();
    });
    sweep_at_ = std::max(kLeastSweep, 2 * hosts_.size());
  }
  auto host = std::make_shared<PoolHost>(state_, url);
  hosts_.emplace(key, host);
  return host;
}

void Pool::Close() {
  state_->closed = true;
  for (const auto& [key, host] : hosts_) host->Close();
}

}  // namespace ringway::http::internal
