// SPDX-License-Identifier: Apache-2.0
//
// CgroupCpuQuota: how much CPU time the control groups of this process allow,
// as in containers with a CPU limit. More busy threads than that are stopped by
// the kernel for a part of each period, which shows as long latencies.

#ifndef RINGWAY_RUNTIME_HOST_CPU_QUOTA_H_
#define RINGWAY_RUNTIME_HOST_CPU_QUOTA_H_

#include <optional>
#include <string>

#include "ringway/core/compiler.h"

namespace ringway {

// In CPUs: 1.5 allows 150 ms of CPU time in each 100 ms. The least that this
// process's group and those above it allow, up to the root of the mount, in
// version 2 (cpu.max) and version 1 (cpu.cfs_quota_us). nullopt if there is no
// limit, or none can be read: groups above the root of a container are not
// visible in it.
//
// `root` is placed before /proc and the mount points, for tests.
// Threads: any. Cost: reads /proc/self/cgroup, /proc/self/mountinfo, and one or
// two files for each group.
std::optional<double> CgroupCpuQuota(const std::string& root = "");

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_HOST_CPU_QUOTA_H_
