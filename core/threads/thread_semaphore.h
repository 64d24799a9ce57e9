// SPDX-License-Identifier: Apache-2.0
//
// ThreadSemaphore: a counting semaphore for threads. A release never blocks,
// and makes a system call only for a thread that waits and was not woken yet.
//
// Not a condition variable, whose notify blocks in glibc until waiters of an
// earlier notify have left; not sem_t alone, which makes a system call for each
// release until the first thread that it woke has run; and not
// std::counting_semaphore, which wakes all.

#ifndef RINGWAY_CORE_THREADS_THREAD_SEMAPHORE_H_
#define RINGWAY_CORE_THREADS_THREAD_SEMAPHORE_H_

#include <semaphore.h>

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "ringway/core/compiler.h"

namespace ringway::internal {

// Threads: any.
class ThreadSemaphore {
 public:
  ThreadSemaphore();
  ThreadSemaphore(const ThreadSemaphore&) = delete;
  ThreadSemaphore& operator=(const ThreadSemaphore&) = delete;
  // No thread may wait.
  ~ThreadSemaphore();

  // Adds `n` tokens. What was written before is visible to who acquires them.
  //
  // Cost: an atomic addition, and a system call for each thread that it wakes.
  void Release(int64_t n = 1);

  // Takes a token if there is one.
  bool TryAcquire();
  // Waits for a token.
  void Acquire() { Acquire(absl::InfiniteDuration()); }
  // False if none came in time.
  bool Acquire(absl::Duration timeout);

 private:
  bool WaitToBeWoken(absl::Duration timeout);

  std::atomic<int64_t> tokens_{0};  // below 0: so many threads wait for one
  sem_t woken_;  // one for each thread that has got its token
};

}  // namespace ringway::internal

#endif  // RINGWAY_CORE_THREADS_THREAD_SEMAPHORE_H_
