// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/blocking/blocking_pool.h"

#include <memory>
#include <utility>

#include "ringway/core/process_wide.h"
#include "ringway/pools/thread_pool.h"

namespace ringway {
namespace {

struct PoolOfExecutor {
  std::shared_ptr<JobPool> pool;
};

constinit ProcessWide<ThreadPool> shared_pool;

}  // namespace

std::shared_ptr<JobPool> BlockingPool() {
  const PoolOfExecutor& own = CurrentExecutor().locals().Get<PoolOfExecutor>();
  return own.pool != nullptr ? own.pool : SharedBlockingPool();
}

const std::shared_ptr<JobPool>& SharedBlockingPool() {
  return shared_pool.Get([] { return *ThreadPool::Create(); }).jobs();
}

std::shared_ptr<JobPool> SharedBlockingPoolIfMade() {
  const ThreadPool* pool = shared_pool.Find();
  return pool == nullptr ? nullptr : pool->jobs();
}

void SetBlockingPool(Executor& executor, std::shared_ptr<JobPool> pool) {
  executor.locals().Get<PoolOfExecutor>().pool = std::move(pool);
}

}  // namespace ringway
