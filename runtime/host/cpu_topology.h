// SPDX-License-Identifier: Apache-2.0
//
// CpuTopology: which CPUs of this machine are hardware threads of one physical
// core, and where the cores are. PinningOrder() is its use: the CPUs in the
// order in which to give them to workers.
//
//   absl::StatusOr<std::vector<int>> allowed = AllowedCpus();
//   if (!allowed.ok()) return allowed.status();
//   const CpuTopology topology = CpuTopology::Read(*allowed);
//   const std::vector<int> order = PinningOrder(topology, *allowed);
//   // Worker i runs on CPU order[i % order.size()].
//
// It comes from sysfs. Where that is missing or incomplete, as in some
// containers, each CPU without a list of siblings counts as a core, and the
// CPUs are those of the affinity mask.

#ifndef RINGWAY_RUNTIME_HOST_CPU_TOPOLOGY_H_
#define RINGWAY_RUNTIME_HOST_CPU_TOPOLOGY_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/core/compiler.h"

namespace ringway {

// CPU numbers are below this.
inline constexpr int kMostCpus = 1 << 16;

// The CPUs of a list as the kernel and taskset(1) write it, "0-3,8,10-11", in
// ascending order, each once. White space at the ends is ignored; an empty list
// has no CPUs.
//
// Errors: InvalidArgument with the list and the part that is wrong.
absl::StatusOr<std::vector<int>> ParseCpuList(std::string_view text);

// The affinity mask of the calling thread, in ascending order; not empty.
//
// Errors: the errno of sched_getaffinity(2).
// Threads: any.
absl::StatusOr<std::vector<int>> AllowedCpus();

struct CpuInfo {
  int number = 0;

  // The kernel's numbers; -1 where it has none. `core` is unique within a die
  // at most.
  int package = -1;
  int die = -1;
  int core = -1;
  int node = -1;  // NUMA

  // The lowest hardware thread of its physical core, which identifies the core.
  int first_sibling = 0;
};

// A value that does not change when CPUs go on- or offline. Threads: any.
class CpuTopology {
 public:
  // The online CPUs and those of `allowed`. Missing and malformed files are
  // treated as said above. `root` is placed before /sys, for tests.
  //
  // Cost: reads five files for each CPU.
  static CpuTopology Read(std::span<const int> allowed,
                          const std::string& root = "");

  // In ascending order.
  const std::vector<CpuInfo>& cpus() const { return cpus_; }
  // Null if there is no such CPU.
  const CpuInfo* Find(int number) const;
  // The NUMA node of a CPU, for memory policies; -1 if it is unknown.
  int NodeOf(int number) const;

  // Physical cores of the machine, and those that have a CPU of `numbers`.
  int n_cores() const;
  int CountCores(std::span<const int> numbers) const;

 private:
  std::vector<CpuInfo> cpus_;
};

// The CPUs of `allowed` in the order in which to use them: one hardware thread
// of each physical core, by package, die and core; then a second one of each,
// and so on. Each once; those that `topology` lacks are left out. Starts
// `offset` CPUs later and wraps, so that programs that share the machine can
// each take a part.
std::vector<int> PinningOrder(const CpuTopology& topology,
                              std::span<const int> allowed, size_t offset = 0);

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_HOST_CPU_TOPOLOGY_H_
