// SPDX-License-Identifier: Apache-2.0
//
// For benchmarks of tasks: runs a task on an executor and reports the time
// and the heap allocations per item.

#ifndef RINGWAY_EXECUTOR_TESTING_BENCHMARK_SUPPORT_H_
#define RINGWAY_EXECUTOR_TESTING_BENCHMARK_SUPPORT_H_

#include <cstdint>
#include <utility>

#include "benchmark/benchmark.h"
#include "ringway/backends/testing/allocation_counter.h"
#include "ringway/executor/task/executor.h"

namespace ringway::benchmarks {

// Counts the heap allocations of all threads from its construction on.
class ItemReport {
 public:
  ItemReport(benchmark::State& state, int64_t items_per_iteration)
      : state_(state), items_per_iteration_(items_per_iteration) {}
  // Call after the loop over the state: reports `per_item` and `allocs`. The
  // first iteration may allocate, so `allocs` is nearly 0 and not 0.
  void Finish();

 private:
  benchmark::State& state_;
  const int64_t items_per_iteration_;
  const uint64_t allocations_before_ = testing::CountAllocations();
};

// Runs `body(state)`, a task that loops over the state.
template <typename Body>
void RunOnExecutor(benchmark::State& state, int64_t items_per_iteration,
                   Body body, ExecutorOptions options = ExecutorOptions()) {
  options.overrun_budget = absl::InfiniteDuration();  // overruns on purpose
  auto executor = Executor::Create(std::move(options));
  if (!executor.ok()) return state.SkipWithError("no executor");
  ItemReport report(state, items_per_iteration);
  if (!(*executor)->Run(body(state)).ok()) state.SkipWithError("failed");
  report.Finish();
}

}  // namespace ringway::benchmarks

#endif  // RINGWAY_EXECUTOR_TESTING_BENCHMARK_SUPPORT_H_
