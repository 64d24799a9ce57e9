// SPDX-License-Identifier: Apache-2.0
//
// SimulatedPool: the JobPool of simulated programs. A job runs on its loop's
// own thread, when a random latency of virtual time has passed; nothing blocks.
//
//   SimulatedPoolOptions options;
//   options.seed = 7;
//   ringway::SetBlockingPool(executor,
//                            ringway::SimulatedPool::Create(loop, options));

#ifndef RINGWAY_POOLS_SIMULATED_POOL_H_
#define RINGWAY_POOLS_SIMULATED_POOL_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/rng.h"
#include "ringway/core/runnable.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/pools/job_pool.h"
#include "ringway/pools/queue_waits.h"

namespace ringway {

struct SimulatedPoolOptions {
  SimulatedPoolOptions() {}

  // As those of ThreadPoolOptions.
  uint32_t max_threads = 64;
  uint32_t max_queued = 10'000;

  // How long a job takes, at least and at most; its effects come at the end.
  absl::Duration least_latency = absl::Microseconds(20);
  absl::Duration most_latency = absl::Milliseconds(5);
  uint64_t seed = 1;
};

// May outlive its loop, whose end drops its jobs; it then refuses others.
//
// Threads: the loop's only (checked).
class SimulatedPool final : public JobPool, private LoopDependent {
 public:
  static std::shared_ptr<SimulatedPool> Create(
      Loop& loop, const SimulatedPoolOptions& options = SimulatedPoolOptions());
  // Drops its jobs.
  ~SimulatedPool() override;

  absl::Status Start(std::shared_ptr<Job> job) override;
  bool Withdraw(Job& job) override;
  uint32_t max_threads() const override { return options_.max_threads; }
  JobPoolStats stats() const override;

 private:
  // Stands for a thread.
  struct Thread : Runnable {
    explicit Thread(SimulatedPool& p) : Runnable(&OnTime), pool(p) {
      timer.on_fired = this;
    }
    static void OnTime(Runnable& entry);
    SimulatedPool& pool;
    LoopTimer timer;
    std::shared_ptr<Job> job;  // null: idle
  };

  SimulatedPool(Loop& loop, const SimulatedPoolOptions& options);

  void OnLoopEnd() override { DropAll(); }
  void DropAll();
  Thread* FindIdle();
  void Begin(Thread& thread);

  Loop& loop_;  // may have ended: see loop_ended()
  const SimulatedPoolOptions options_;
  Rng rng_;
  IntrusiveList<Job> queue_;
  std::vector<std::unique_ptr<Thread>> threads_;
  JobPoolStats stats_;
  internal::QueueWaits waits_;
};

}  // namespace ringway

#endif  // RINGWAY_POOLS_SIMULATED_POOL_H_
