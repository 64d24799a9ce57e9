// SPDX-License-Identifier: Apache-2.0
//
// Mutex: one task at a time, also across its awaits.
//
// Between two awaits a task is alone anyway; a mutex is for what must stay
// together over an await, such as a request and its answer on one connection.
// Handed over in order: who unlocks it and locks it again is behind those who
// wait.
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

// Holds a mutex until its end, on the mutex's worker. The mutex must outlive it
// (checked).
class [[nodiscard]] MutexLock {
 public:
  // Holds nothing.
  MutexLock() = default;

  // False once unlocked or moved from.
  bool held() const { return permit_.count() > 0; }

  // Unlocks now, if it is held.
  void Unlock() { permit_.Release(); }

 private:
  friend class Mutex;
  explicit MutexLock(SemaphorePermit&& permit) : permit_(std::move(permit)) {}

  SemaphorePermit permit_;
};

// Of one worker. Nobody may hold it or wait for it when it is destroyed
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

  // Locks it, in the order of the calls.
  //
  // Errors:       Cancelled.
  // Cancellation: leaves the line. A task that is cancelled after the mutex was
  //               handed to it holds it.
  // Cost:         no allocation.
  LockOp Lock() { return LockOp(semaphore_); }

  // Locks it if nobody holds it.
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
