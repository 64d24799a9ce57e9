// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/loadgen/workers/run_on_workers.h"

#include <sched.h>

#include <atomic>
#include <cerrno>
#include <latch>
#include <memory>
#include <system_error>
#include <thread>

#include "absl/strings/str_cat.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/time/clock.h"

namespace ringway::loadgen {
namespace {

// The calling thread.
absl::Status PinTo(int cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &cpus);
  if (sched_setaffinity(0, sizeof(cpus), &cpus) == 0) return absl::OkStatus();
  return ErrnoToStatus(errno, absl::StrCat("pinning to CPU ", cpu));
}

absl::StatusOr<std::unique_ptr<Executor>> PrepareThread(int first_cpu,
                                                        int worker) {
  if (first_cpu >= 0) {
    absl::Status pinned = PinTo(first_cpu + worker);
    if (!pinned.ok()) return pinned;
  }
  return Executor::Create();
}

}  // namespace

absl::Status RunOnThreads(
    int workers, int first_cpu,
    absl::FunctionRef<void(Executor&, const WorkerShare&)> run) {
  StartLine line(workers);
  std::vector<absl::Status> prepared(static_cast<size_t>(workers));
  std::atomic<bool> all_prepared{true};
  std::latch preparing(workers);
  const auto work = [&](int worker) {
    absl::StatusOr<std::unique_ptr<Executor>> executor =
        PrepareThread(first_cpu, worker);
    if (!executor.ok()) {
      prepared[static_cast<size_t>(worker)] = executor.status();
      all_prepared = false;
    }
    preparing.arrive_and_wait();
    if (all_prepared) run(**executor, WorkerShare(worker, workers, line));
    // The others would wait for one that has ended before.
    line.Arrive(worker, Clock::Real().Now());
  };
  std::vector<std::jthread> threads;
  for (int worker = 1; worker < workers; ++worker) {
    try {
      threads.emplace_back(work, worker);
    } catch (const std::system_error& error) {
      prepared[static_cast<size_t>(worker)] = ErrnoToStatus(
          error.code().value(), absl::StrCat("starting worker ", worker));
      all_prepared = false;
      preparing.count_down();
    }
  }
  work(0);
  threads.clear();  // joins them
  for (const absl::Status& status : prepared) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace ringway::loadgen
