// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/blocking/run_blocking_each.h"

namespace ringway::internal {

// That some could not be started matters only if all could not.
absl::Status OutcomeOf(const std::vector<absl::Status>& jobs) {
  absl::Status outcome;
  for (const absl::Status& job : jobs) {
    if (absl::IsCancelled(job)) return job;
  }
  for (const absl::Status& job : jobs) {
    if (job.ok()) return job;
    outcome = job;
  }
  return outcome;
}

}  // namespace ringway::internal
