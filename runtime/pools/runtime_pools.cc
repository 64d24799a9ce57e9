// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/pools/runtime_pools.h"

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/pools/blocking/blocking_pool.h"
#include "ringway/pools/spawner/spawner_pool.h"
#include "ringway/runtime/metrics/process_pools.h"

namespace ringway::internal {
namespace {

absl::Status Named(std::string_view setting, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      absl::StrCat(setting, ": ", status.message()));
}

std::string Limits(std::string_view name, uint32_t max_threads,
                   uint32_t max_queued, bool own) {
  return absl::StrCat(name, ": ", max_threads, " threads, ", max_queued,
                      " queued, ", own ? "the runtime's own" : "the process's",
                      "\n");
}

}  // namespace

absl::Status CheckRuntimePoolsOptions(const RuntimePoolsOptions& options) {
  absl::Status status;
  if (options.blocking.has_value()) {
    status.Update(
        Named("BlockingPool", CheckThreadPoolOptions(*options.blocking)));
  }
  if (options.resolver.has_value()) {
    status.Update(
        Named("Resolver", CheckHostResolverOptions(*options.resolver)));
  }
  return status;
}

std::string DescribePools(const RuntimePoolsOptions& options) {
  const ThreadPoolOptions blocking =
      options.blocking.value_or(ThreadPoolOptions());
  const HostResolverOptions resolver =
      options.resolver.value_or(HostResolverOptions());
  const ThreadPoolOptions spawner = SpawnerPoolOptions();
  return absl::StrCat(Limits("blocking_pool", blocking.max_threads,
                             blocking.max_queued, options.blocking.has_value()),
                      Limits("resolver", resolver.max_threads,
                             resolver.max_queued, options.resolver.has_value()),
                      Limits("spawner", spawner.max_threads, spawner.max_queued,
                             /*own=*/false));
}

RuntimePools::RuntimePools(const RuntimePoolsOptions& options) {
  const absl::Status valid = CheckRuntimePoolsOptions(options);
  RINGWAY_CHECK(valid.ok(), "%s", valid.ToString().c_str());
  if (options.blocking.has_value()) {
    blocking_ = *ThreadPool::Create(*options.blocking);
    blocking_jobs_ = blocking_->jobs();
  }
  if (options.resolver.has_value())
    resolver_ = *net::SystemResolver::Create(*options.resolver);
}

void RuntimePools::GiveTo(Executor& executor) const {
  if (blocking_jobs_ != nullptr) SetBlockingPool(executor, blocking_jobs_);
  if (resolver_ != nullptr) net::SetResolver(executor, resolver_);
}

void RuntimePools::AddTo(RuntimeSnapshot& snapshot) const {
  if (blocking_jobs_ != nullptr)
    snapshot.pools.push_back({"blocking", blocking_jobs_->stats()});
  if (resolver_ != nullptr) snapshot.resolver = resolver_->stats();
  AddProcessPools(snapshot);
}

void RuntimePools::End() {
  std::lock_guard<std::mutex> lock(end_mutex_);
  blocking_.reset();
  if (resolver_ != nullptr) resolver_->End();
}

}  // namespace ringway::internal
