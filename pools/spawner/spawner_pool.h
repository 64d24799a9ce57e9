// SPDX-License-Identifier: Apache-2.0
//
// SpawnerPool: the threads on which programs are started. Of their own, so that
// neither blocking calls nor look-ups hold up programs.

#ifndef RINGWAY_POOLS_SPAWNER_SPAWNER_POOL_H_
#define RINGWAY_POOLS_SPAWNER_SPAWNER_POOL_H_

#include <memory>

#include "ringway/pools/job_pool.h"
#include "ringway/pools/thread_pool.h"

namespace ringway {

// Its limits.
ThreadPoolOptions SpawnerPoolOptions();

// Shared by the process, made by the first call; in a forked child another one.
//
// Threads: any.
const std::shared_ptr<JobPool>& SpawnerPool();
// The same, or null before that call.
std::shared_ptr<JobPool> SpawnerPoolIfMade();

}  // namespace ringway

#endif  // RINGWAY_POOLS_SPAWNER_SPAWNER_POOL_H_
