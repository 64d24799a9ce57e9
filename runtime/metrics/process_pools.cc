// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/metrics/process_pools.h"

#include <algorithm>
#include <memory>

#include "ringway/net/resolver/system_resolver.h"
#include "ringway/pools/blocking/blocking_pool.h"
#include "ringway/pools/job_pool.h"
#include "ringway/pools/spawner/spawner_pool.h"

namespace ringway::internal {

namespace {

void Add(const char* name, const std::shared_ptr<JobPool>& pool,
         RuntimeSnapshot& snapshot) {
  const bool is_there =
      std::ranges::find(snapshot.pools, name, &PoolSnapshot::name) !=
      snapshot.pools.end();
  if (pool != nullptr && !is_there)
    snapshot.pools.push_back({name, pool->stats()});
}

}  // namespace

void AddProcessPools(RuntimeSnapshot& snapshot) {
  Add("blocking", SharedBlockingPoolIfMade(), snapshot);
  Add("spawner", SpawnerPoolIfMade(), snapshot);
  if (snapshot.resolver.has_value()) return;
  if (const auto* resolver = net::DefaultResolverIfMade())
    snapshot.resolver = resolver->stats();
}

}  // namespace ringway::internal
