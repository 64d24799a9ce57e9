// SPDX-License-Identifier: Apache-2.0
//
// Mutex: mutual exclusion of tasks, across awaits.
//
// Between two awaits no other task runs anyway; a mutex is for sequences that
// contain an await, such as a request and its reply on one connection. It is
// handed over in FIFO order: a task that unlocks it and locks it again queues
// behind the waiting ones.
//
//   absl::StatusOr<MutexLock> lock = co_await mutex.Lock();
//   if (!lock.ok()) co_return lock.status();
//   ...                                  // the lock's end unlocks it

#ifndef RINGWAY_EXECUTOR_SYNC_MUTEX_H_
#define RINGWAY_EXECUTOR_SYNC_MUTEX_H_

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/executor/sync/semaphore.h"

namespace ringway {

// Holds a mutex during its lifetime, on the mutex's worker. The mutex must
// outlive it (checked).
class [[nodiscard]] MutexLock {
 public:
  // Holds nothing.
  MutexLock() = default;

  // False once unlocked or moved from.
  bool held() const { return permit_.count() > 0; }

  // Unlocks now if it is held.
  void Unlock() { permit_.Release(); }

 private:
  friend class Mutex;
  explicit MutexLock(SemaphorePermit&& permit) : permit_(std::move(permit)) {}

  SemaphorePermit permit_;
};

// For one worker. It must be unlocked and not waited for when it is destroyed
// (checked). Not recursive: a task that locks it twice waits until it is
// cancelled.
class Mutex {
 public:
  class [[nodiscard]] LockOp : public Semaphore::AcquireOp {
   public:
    explicit LockOp(Semaphore& semaphore) : AcquireOp(semaphore, 1) {}
    absl::StatusOr<MutexLock> await_resume() {
      if (!served()) return status();
      return MutexLock(std::move(permit_));
    }
  };

  Mutex() = default;

  // Locks it, in call order.
  //
  // Errors:       Cancelled.
  // Cancellation: leaves the queue. A task that is cancelled after the mutex
  //               was handed to it holds it.
  // Cost:         no allocation.
  LockOp Lock() { return LockOp(semaphore_); }

  // Locks it if it is unlocked.
  std::optional<MutexLock> TryLock() {
    std::optional<SemaphorePermit> permit = semaphore_.TryAcquire();
    if (!permit.has_value()) return std::nullopt;
    return MutexLock(*std::move(permit));
  }

  bool locked() const { return semaphore_.available() == 0; }

 private:
  Semaphore semaphore_{1};
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_SYNC_MUTEX_H_
