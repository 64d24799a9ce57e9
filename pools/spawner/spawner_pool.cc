// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/spawner/spawner_pool.h"

#include "ringway/core/process_wide.h"
#include "ringway/pools/thread_pool.h"

namespace ringway {

const std::shared_ptr<JobPool>& SpawnerPool() {
  static ProcessWide<ThreadPool> pool;
  return pool
      .Get([] {
        ThreadPoolOptions options;
        options.name = "spawner";
        options.max_threads = 4;
        return *ThreadPool::Create(options);
      })
      .jobs();
}

}  // namespace ringway
