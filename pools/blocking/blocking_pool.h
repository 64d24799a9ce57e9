// SPDX-License-Identifier: Apache-2.0
//
// BlockingPool: the pool that RunBlocking() uses. Its counters are
// JobPool::stats().

#ifndef RINGWAY_POOLS_BLOCKING_BLOCKING_POOL_H_
#define RINGWAY_POOLS_BLOCKING_BLOCKING_POOL_H_

#include <memory>

#include "ringway/executor/task/executor.h"
#include "ringway/pools/job_pool.h"

namespace ringway {

// The pool of the executor that this thread runs: what SetBlockingPool() gave
// it, else SharedBlockingPool(). Aborts if there is no executor.
std::shared_ptr<JobPool> BlockingPool();

// The pool that all executors of the process share, with default options, made
// by the first call; in a forked child another one.
//
// Threads: any, also those without an executor.
const std::shared_ptr<JobPool>& SharedBlockingPool();
// The same, or null before that call.
std::shared_ptr<JobPool> SharedBlockingPoolIfMade();

// From now on RunBlocking() in tasks of `executor` uses `pool`; null: the
// process's again.
//
// Threads: the executor's only (checked).
void SetBlockingPool(Executor& executor, std::shared_ptr<JobPool> pool);

}  // namespace ringway

#endif  // RINGWAY_POOLS_BLOCKING_BLOCKING_POOL_H_
