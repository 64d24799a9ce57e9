// SPDX-License-Identifier: Apache-2.0
//
// ThreadPool: threads for what has no asynchronous form. RunBlocking() is its
// use by tasks.
//
//   ThreadPoolOptions options;
//   options.name = "hash";
//   options.max_threads = 4;
//   absl::StatusOr<std::unique_ptr<ThreadPool>> pool =
//       ThreadPool::Create(options);
//
// A thread is started when a job is queued and none is idle, and ends when it
// has been idle for a while. Its threads are of the class SCHED_BATCH: one that
// is woken does not preempt the loop that woke it. What a job starts, threads
// or programs, inherits that.
//
// A loop never waits for a pool's thread, though that may be preempted at any
// point: what queues a job or takes it back takes no lock that a pool's thread
// can hold, and at most one thread is started meanwhile.

#ifndef RINGWAY_POOLS_THREAD_POOL_H_
#define RINGWAY_POOLS_THREAD_POOL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/pools/job_pool.h"

namespace ringway {

// Upper limits of the options below.
inline constexpr uint32_t kMostPoolThreads = 1'024;
inline constexpr uint32_t kMostQueuedJobs = 1u << 24;

struct ThreadPoolOptions {
  ThreadPoolOptions() {}

  // What its threads are called in /proc, with their number: "blocking/3". 1 to
  // 10 bytes.
  std::string name = "blocking";

  // The most threads, 1 to kMostPoolThreads. Jobs block, so there may be more
  // of them than cores.
  uint32_t max_threads = 64;

  // The most jobs that wait for a thread, up to kMostQueuedJobs; one more is
  // refused. 0: a job is refused unless a thread is idle or can be started.
  uint32_t max_queued = 10'000;

  // How long a thread is idle before it ends. Not negative; infinite: it stays
  // until the pool ends.
  absl::Duration idle_time = absl::Seconds(10);

  // Its threads run when nothing else wants the processor (SCHED_IDLE instead
  // of SCHED_BATCH): for work that must not slow a worker down.
  bool idle_class = false;
};

// InvalidArgument with the option and its limits if one is out of range.
absl::Status CheckThreadPoolOptions(const ThreadPoolOptions& options);

// A forked child has none of its parent's threads: there jobs are refused, and
// the destructor does nothing.
//
// Threads: any. It must not be destroyed by one of its jobs (checked).
class ThreadPool {
 public:
  // Errors: InvalidArgument. Starts no thread.
  static absl::StatusOr<std::unique_ptr<ThreadPool>> Create(
      const ThreadPoolOptions& options = ThreadPoolOptions());

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  // Drops the jobs that have not begun, whose callers get Unavailable, and
  // waits for those that have.
  ~ThreadPool();

  // Its jobs; outlives the pool, and then refuses them.
  const std::shared_ptr<JobPool>& jobs() const { return jobs_; }

  JobPoolStats stats() const { return jobs_->stats(); }

 private:
  class Threads;

  explicit ThreadPool(std::shared_ptr<Threads> threads);

  const std::shared_ptr<Threads> threads_;
  const std::shared_ptr<JobPool> jobs_;
};

}  // namespace ringway

#endif  // RINGWAY_POOLS_THREAD_POOL_H_
