// SPDX-License-Identifier: Apache-2.0
//
// AddProcessPools: the pools that all of the process share, for the page of
// metrics.

#ifndef RINGWAY_RUNTIME_METRICS_PROCESS_POOLS_H_
#define RINGWAY_RUNTIME_METRICS_PROCESS_POOLS_H_

#include "ringway/runtime/metrics/runtime_snapshot.h"

namespace ringway::internal {

// Adds those that something has used, and makes none. What `snapshot` has of a
// runtime's own stays.
//
// Threads: any.
void AddProcessPools(RuntimeSnapshot& snapshot);

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_METRICS_PROCESS_POOLS_H_
