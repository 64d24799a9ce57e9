// SPDX-License-Identifier: Apache-2.0
//
// JobPool: runs jobs where they may block, away from any loop. ThreadPool is
// the real one, SimulatedPool that of simulated programs.

#ifndef RINGWAY_POOLS_JOB_POOL_H_
#define RINGWAY_POOLS_JOB_POOL_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/containers/mpsc_queue.h"
#include "ringway/core/time/monotonic_time.h"

namespace ringway {

// One call of a function, shared by the pool and whoever wants its result. The
// pool calls exactly one of the two functions, once, unless it is withdrawn.
class Job : public ListNode, public MpscNode {
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

  // Where a ThreadPool has it.
  enum class Place : uint8_t {
    kElsewhere,  // not queued yet, or no more
    kQueued,
    kWithdrawn,  // still in the queue, but will not run
  };

  std::shared_ptr<Job> self_;  // while the pool has it, like the next
  MonotonicTime queued_at_;
  std::atomic<Place> place_{Place::kElsewhere};
};

// A snapshot: started == ended + withdrawn + dropped + queued + running, and
// threads == idle + running, also while jobs begin and end. Of these, jobs that
// began or ended in that instant may be counted as still queued or running.
struct JobPoolStats {
  // Jobs since the pool was made.
  uint64_t started = 0;    // that were queued
  uint64_t ended = 0;      // that have run
  uint64_t withdrawn = 0;  // that were taken back before they began: cancelled
  uint64_t dropped = 0;    // that had not begun when the pool ended
  uint64_t refused = 0;    // that were not queued for lack of room or threads

  // Currently.
  uint64_t queued = 0;
  uint64_t running = 0;
  uint64_t threads = 0;
  uint64_t idle = 0;  // threads that run no job

  // The most at a time.
  uint64_t most_queued = 0;
  uint64_t most_threads = 0;

  // How long the jobs that have begun had waited for a thread: half of them, 99
  // of 100 (both rounded up by 1/64 at most), and all of them no longer.
  absl::Duration median_wait;
  absl::Duration p99_wait;
  absl::Duration longest_wait;
};

// No function waits for a thread that runs jobs.
//
// Threads: any.
class JobPool {
 public:
  virtual ~JobPool() = default;

  // Queues `job`, once. Jobs begin in the order they were queued.
  //
  // Errors: ResourceExhausted naming the option: the queue is full, or no
  //         thread can be started. Unavailable: the pool has ended.
  //         FailedPrecondition in a forked child.
  virtual absl::Status Start(std::shared_ptr<Job> job) = 0;

  // Takes back `job`, which was started and which the caller refers to. True if
  // it had not begun: neither of its functions is called then. The pool's own
  // reference, and the room that it takes, may last until a thread comes to it.
  virtual bool Withdraw(Job& job) = 0;

  // The most jobs that run at a time.
  virtual uint32_t max_threads() const = 0;

  // Cost: some microseconds.
  virtual JobPoolStats stats() const = 0;
};

}  // namespace ringway

#endif  // RINGWAY_POOLS_JOB_POOL_H_
