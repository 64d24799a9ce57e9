// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/metrics/process_pools.h"

#include "ringway/net/resolver/system_resolver.h"
#include "ringway/pools/blocking/blocking_pool.h"
#include "ringway/pools/spawner/spawner_pool.h"

namespace ringway::internal {

void AddProcessPools(RuntimeSnapshot& snapshot) {
  if (const auto pool = SharedBlockingPoolIfMade())
    snapshot.pools.push_back({"blocking", pool->stats()});
  if (const auto pool = SpawnerPoolIfMade())
    snapshot.pools.push_back({"spawner", pool->stats()});
  if (const auto* resolver = net::DefaultResolverIfMade())
    snapshot.resolver = resolver->stats();
}

}  // namespace ringway::internal
