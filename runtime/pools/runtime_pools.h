// SPDX-License-Identifier: Apache-2.0
//
// RuntimePools: the pools that the workers of one runtime use instead of the
// process's.

#ifndef RINGWAY_RUNTIME_POOLS_RUNTIME_POOLS_H_
#define RINGWAY_RUNTIME_POOLS_RUNTIME_POOLS_H_

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "ringway/executor/task/executor.h"
#include "ringway/net/resolver/system_resolver.h"
#include "ringway/pools/job_pool.h"
#include "ringway/pools/resolver/host_resolver.h"
#include "ringway/pools/thread_pool.h"
#include "ringway/runtime/metrics/runtime_snapshot.h"

namespace ringway::internal {

struct RuntimePoolsOptions {
  // None: the process's.
  std::optional<ThreadPoolOptions> blocking;
  std::optional<HostResolverOptions> resolver;
};

// InvalidArgument with the setting, its option and that one's limits.
absl::Status CheckRuntimePoolsOptions(const RuntimePoolsOptions& options);

// The limits of all pools, the process's included, a line for each.
std::string DescribePools(const RuntimePoolsOptions& options);

class RuntimePools {
 public:
  // `options` must be valid (checked). Starts no thread.
  explicit RuntimePools(const RuntimePoolsOptions& options);
  RuntimePools(const RuntimePools&) = delete;
  RuntimePools& operator=(const RuntimePools&) = delete;

  // RunBlocking() and Resolve() in tasks of `executor` use them.
  //
  // Threads: the executor's.
  void GiveTo(Executor& executor) const;

  // Adds their counters and those of the process's pools. Also after End().
  //
  // Threads: any.
  void AddTo(RuntimeSnapshot& snapshot) const;

  // Waits for calls and look-ups that have begun; the others are dropped, and
  // later ones refused.
  //
  // Threads: any, any number of times.
  void End();

 private:
  std::mutex end_mutex_;
  std::unique_ptr<ThreadPool> blocking_;  // guarded by it
  std::shared_ptr<JobPool> blocking_jobs_;
  std::shared_ptr<net::SystemResolver> resolver_;
};

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_POOLS_RUNTIME_POOLS_H_
