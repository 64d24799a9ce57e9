// SPDX-License-Identifier: Apache-2.0
//
// RunOnWorkers: one run on several threads, each with an executor of its own,
// and what they have counted as one.

#ifndef RINGWAY_TOOLS_LOADGEN_WORKERS_RUN_ON_WORKERS_H_
#define RINGWAY_TOOLS_LOADGEN_WORKERS_RUN_ON_WORKERS_H_

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/task/executor.h"
#include "ringway/tools/loadgen/workers/worker_share.h"

namespace ringway::loadgen {

// As RunOnWorkers(), for functions that return nothing.
absl::Status RunOnThreads(
    int workers, int first_cpu,
    absl::FunctionRef<void(Executor&, const WorkerShare&)> run);

// Calls `run` once on each worker, with its executor and its share; the calling
// thread is the first worker. Returns what they have returned, merged in the
// order of the workers. The first one runs on CPU `first_cpu`, the next ones
// follow; -1: any.
//
// Errors: that a CPU or a backend is not to be had; nothing has run then.
template <typename Tally>
absl::StatusOr<Tally> RunOnWorkers(
    int workers, int first_cpu,
    absl::FunctionRef<Tally(Executor&, const WorkerShare&)> run) {
  std::vector<std::optional<Tally>> tallies(static_cast<size_t>(workers));
  absl::Status ran = RunOnThreads(
      workers, first_cpu, [&](Executor& executor, const WorkerShare& share) {
        tallies[static_cast<size_t>(share.worker)] = run(executor, share);
      });
  if (!ran.ok()) return ran;
  Tally& sum = *tallies.front();
  for (size_t i = 1; i < tallies.size(); ++i) sum.Merge(*tallies[i]);
  return std::move(sum);
}

}  // namespace ringway::loadgen

#endif  // RINGWAY_TOOLS_LOADGEN_WORKERS_RUN_ON_WORKERS_H_
