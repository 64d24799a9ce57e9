// SPDX-License-Identifier: Apache-2.0
//
// PoolRoom: how many jobs and threads a ThreadPool has, and whether it may have
// one more. All of it is one atomic word, so that no thread ever waits for
// another to decide that.
//
// Threads are started one at a time. The thread of a loop starts one only if
// none is being started; that one starts the next before it runs its first job,
// if one is needed (NextThread()). So a turn of a loop that queues many jobs
// starts one thread, not all of them.

#ifndef RINGWAY_POOLS_POOL_ROOM_H_
#define RINGWAY_POOLS_POOL_ROOM_H_

#include <atomic>
#include <cstdint>

#include "ringway/core/compiler.h"

namespace ringway::internal {

// Threads: any.
class PoolRoom {
 public:
  struct Counts {
    uint32_t jobs = 0;     // that are queued or running
    uint16_t threads = 0;  // that there are, or will be if they can be started
    uint16_t unsure : 14 = 0;   // of these, that may still turn out not to
    uint16_t starting : 1 = 0;  // one will call NextThread()
    uint16_t ended : 1 = 0;     // no more of either are to be

    uint32_t sure() const { return threads > unsure ? threads - unsure : 0u; }
  };

  enum class Admission : uint8_t {
    kEnded,
    kFull,
    kAdmitted,
    // The caller must start a thread first, and say whether it could.
    kNeedsThread,
  };

  PoolRoom(uint32_t max_threads, uint32_t max_queued)
      : max_threads_(max_threads), max_queued_(max_queued) {}

  Counts counts() const { return counts_.load(std::memory_order_acquire); }

  // One more job?
  Admission Admit();
  // `n` jobs have ended, or were taken off the queue.
  void RemoveJobs(uint32_t n = 1);

  // A thread that the pool needed was started.
  void ThreadStarted();
  // It could not be.
  void NoThreadStarted();
  // The same, after Admit(). False: its job is not admitted then.
  bool AdmitsWithoutThread();

  // For a thread that begins. True: it must start another one.
  bool NextThread();
  // For a thread that is idle. True if it may end, which is then done.
  bool IdleThreadEnds();
  // For a thread that ends because the pool does.
  void ThreadEnds();

  // Admits no more, of either. Returns how many threads there are.
  uint32_t End();

 private:
  template <typename F>
  Counts Change(F change);
  bool NeedsThread(const Counts& counts) const {
    return counts.jobs > counts.threads && counts.threads < max_threads_ &&
           counts.ended == 0;
  }

  const uint32_t max_threads_;
  const uint32_t max_queued_;
  std::atomic<Counts> counts_{Counts()};
};
static_assert(sizeof(PoolRoom::Counts) == sizeof(uint64_t));

}  // namespace ringway::internal

#endif  // RINGWAY_POOLS_POOL_ROOM_H_
