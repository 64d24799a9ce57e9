// SPDX-License-Identifier: Apache-2.0

#include "ringway/core/threads/thread_semaphore.h"

#include <time.h>

#include <algorithm>
#include <cerrno>

#include "absl/time/time.h"
#include "ringway/core/time/clock.h"

namespace ringway::internal {

ThreadSemaphore::ThreadSemaphore() {
  sem_init(&woken_, /*pshared=*/0, /*value=*/0);
}

ThreadSemaphore::~ThreadSemaphore() { sem_destroy(&woken_); }

void ThreadSemaphore::Release(int64_t n) {
  const int64_t before = tokens_.fetch_add(n, std::memory_order_release);
  for (int64_t left = std::min(-before, n); left > 0; --left) sem_post(&woken_);
}

bool ThreadSemaphore::TryAcquire() {
  int64_t tokens = tokens_.load(std::memory_order_relaxed);
  while (tokens > 0) {
    if (tokens_.compare_exchange_weak(tokens, tokens - 1,
                                      std::memory_order_acquire,
                                      std::memory_order_relaxed))
      return true;
  }
  return false;
}

bool ThreadSemaphore::Acquire(absl::Duration timeout) {
  if (tokens_.fetch_sub(1, std::memory_order_acquire) > 0) return true;
  if (WaitToBeWoken(timeout)) return true;
  // Leaves the threads that wait, unless all of them have got a token.
  int64_t tokens = tokens_.load(std::memory_order_relaxed);
  while (tokens < 0) {
    if (tokens_.compare_exchange_weak(tokens, tokens + 1,
                                      std::memory_order_relaxed))
      return false;
  }
  return WaitToBeWoken(absl::InfiniteDuration());
}

bool ThreadSemaphore::WaitToBeWoken(absl::Duration timeout) {
  const timespec end = absl::ToTimespec(
      absl::Nanoseconds(Clock::Real().Now().nanoseconds()) + timeout);
  int rc;
  do {
    rc = timeout == absl::InfiniteDuration()
             ? sem_wait(&woken_)
             : sem_clockwait(&woken_, CLOCK_MONOTONIC, &end);
  } while (rc != 0 && errno == EINTR);
  return rc == 0;
}

}  // namespace ringway::internal
