// SPDX-License-Identifier: Apache-2.0
//
// DefaultWorkers: how many workers a server starts unless it is configured: one
// for each physical core that it may use, because a second busy thread on a
// core adds little.

#ifndef RINGWAY_RUNTIME_HOST_DEFAULT_WORKERS_H_
#define RINGWAY_RUNTIME_HOST_DEFAULT_WORKERS_H_

#include <optional>
#include <string>

#include "ringway/core/compiler.h"

namespace ringway {

struct WorkerCount {
  int workers = 1;
  // One line for a log: "8 of 8 cores", "1 of 8 cores: affinity allows 2;
  // cgroup allows 1.5".
  std::string explanation;
};

// The physical cores within the affinity mask of the calling thread, at most as
// many as the cgroup allows CPUs, rounded down; at least 1. What cannot be read
// does not limit.
//
// `root` is placed before /proc and /sys, for tests.
// Threads: any; a thread that is pinned counts its own CPUs only.
WorkerCount DefaultWorkers(const std::string& root = "");

namespace internal {

// The same for `allowed_cores` of `cores` within the affinity mask.
WorkerCount WorkersWithin(int cores, int allowed_cores,
                          std::optional<double> quota);

}  // namespace internal

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_HOST_DEFAULT_WORKERS_H_
