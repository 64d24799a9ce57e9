// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/spawner/spawner_pool.h"

#include "ringway/core/process_wide.h"

namespace ringway {
namespace {

constinit ProcessWide<ThreadPool> shared_pool;

}  // namespace

ThreadPoolOptions SpawnerPoolOptions() {
  ThreadPoolOptions options;
  options.name = "spawner";
  options.max_threads = 4;
  return options;
}

const std::shared_ptr<JobPool>& SpawnerPool() {
  return shared_pool
      .Get([] { return *ThreadPool::Create(SpawnerPoolOptions()); })
      .jobs();
}

std::shared_ptr<JobPool> SpawnerPoolIfMade() {
  const ThreadPool* pool = shared_pool.Find();
  return pool == nullptr ? nullptr : pool->jobs();
}

}  // namespace ringway
