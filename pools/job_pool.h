// SPDX-License-Identifier: Apache-2.0
//
// JobPool: runs jobs where they may block, away from any loop. ThreadPool is
// the real one, SimulatedPool that of simulated programs.

#ifndef RINGWAY_POOLS_JOB_POOL_H_
#define RINGWAY_POOLS_JOB_POOL_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "ringway/core/containers/intrusive_list.h"

namespace ringway {

// One call of a function, shared by the pool and whoever wants its result. The
// pool calls exactly one of the two functions, once, unless it is withdrawn.
class Job : public ListNode {
 public:
  Job() = default;
  virtual ~Job() = default;

 private:
  friend class SimulatedPool;
  friend class ThreadPool;

  // On one of the pool's threads.
  virtual void Run() noexcept = 0;
  // The pool has ended before the job began. On the thread that ends it.
  virtual void Drop() noexcept = 0;

  std::shared_ptr<Job> self_;  // while the pool has it
};

struct JobPoolStats {
  uint64_t started = 0;    // jobs that were queued
  uint64_t ended = 0;      // that have run
  uint64_t refused = 0;    // for lack of room in the queue, or of threads
  uint64_t withdrawn = 0;  // before they began
  uint64_t queued = 0;     // currently, like the next two
  uint64_t running = 0;
  uint64_t threads = 0;
  uint64_t most_queued = 0;
  uint64_t most_threads = 0;
};

// Threads: any.
class JobPool {
 public:
  virtual ~JobPool() = default;

  // Queues `job`. Jobs begin in the order they were queued.
  //
  // Errors: ResourceExhausted naming the option: the queue is full, or no
  // thread
  //         can be started. Unavailable: the pool has ended. FailedPrecondition
  //         in a forked child.
  virtual absl::Status Start(std::shared_ptr<Job> job) = 0;

  // Takes back `job`, which was started. True if it had not begun: neither of
  // its functions is called then.
  virtual bool Withdraw(Job& job) = 0;

  // The most jobs that run at a time.
  virtual uint32_t max_threads() const = 0;

  virtual JobPoolStats stats() const = 0;
};

}  // namespace ringway

#endif  // RINGWAY_POOLS_JOB_POOL_H_
