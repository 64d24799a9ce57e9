// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/host/default_workers.h"

#include <algorithm>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ringway/runtime/host/cpu_quota.h"
#include "ringway/runtime/host/cpu_topology.h"

namespace ringway {

WorkerCount DefaultWorkers(const std::string& root) {
  const absl::StatusOr<std::vector<int>> mask = AllowedCpus();
  const std::vector<int> allowed = mask.ok() ? *mask : std::vector<int>();
  const CpuTopology topology = CpuTopology::Read(allowed, root);
  const int cores = topology.n_cores();
  return internal::WorkersWithin(
      cores, mask.ok() ? topology.CountCores(allowed) : cores,
      CgroupCpuQuota(root));
}

WorkerCount internal::WorkersWithin(int cores, int allowed_cores,
                                    std::optional<double> quota) {
  WorkerCount count;
  count.workers = allowed_cores;
  std::vector<std::string> limits;
  if (allowed_cores < cores)
    limits.push_back(absl::StrCat("affinity allows ", allowed_cores));
  if (quota.has_value() && *quota < cores) {
    count.workers = std::min(count.workers, static_cast<int>(*quota));
    limits.push_back(absl::StrCat("cgroup allows ", *quota));
  }
  count.workers = std::max(count.workers, 1);
  count.explanation = absl::StrCat(
      count.workers, " of ", cores, cores == 1 ? " core" : " cores",
      limits.empty() ? "" : ": ", absl::StrJoin(limits, "; "));
  return count;
}

}  // namespace ringway
