// SPDX-License-Identifier: Apache-2.0
//
// ProcessStats: what the kernel counts of this process.

#ifndef RINGWAY_RUNTIME_HOST_PROCESS_STATS_H_
#define RINGWAY_RUNTIME_HOST_PROCESS_STATS_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace ringway {

struct ProcessStats {
  absl::Duration cpu_time;  // of all threads, in the program and in the kernel
  uint64_t open_fds = 0;
  uint64_t max_fds = 0;  // RLIMIT_NOFILE
  uint64_t virtual_bytes = 0;
  uint64_t resident_bytes = 0;
  absl::Duration started;  // since the epoch, to about a second
  uint64_t threads = 0;
};

// nullopt if /proc cannot be read, also for lack of fds.
//
// Threads: any.
// Cost:    opens two files of /proc; one entry for each open fd.
std::optional<ProcessStats> ReadProcessStats();

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_HOST_PROCESS_STATS_H_
