// SPDX-License-Identifier: Apache-2.0
//
// Barrier: a number of tasks wait until all of them have arrived. Then it
// starts over.
//
//   Barrier barrier(/*n_parties=*/3);
//   ...
//   absl::StatusOr<bool> last = co_await barrier.Arrive();

#ifndef RINGWAY_EXECUTOR_SYNC_BARRIER_H_
#define RINGWAY_EXECUTOR_SYNC_BARRIER_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/task/wait.h"

namespace ringway {

// For one worker. No task may wait when it is destroyed (checked).
class Barrier {
 public:
  class [[nodiscard]] ArriveOp : public internal::QueuedWait<ArriveOp> {
   public:
    explicit ArriveOp(Barrier& barrier) : barrier_(barrier) {}
    absl::StatusOr<bool> await_resume() const {
      if (!served()) return status();
      return last_;
    }

   private:
    friend class internal::Wait<ArriveOp>;
    friend class internal::QueuedWait<ArriveOp>;
    friend class internal::WaitLine<ArriveOp>;
    static constexpr char kOwner[] = "a Barrier";

    internal::WaitEnd Begin() {
      last_ = barrier_.n_waiting_ + 1 == barrier_.n_parties_;
      if (last_) {
        barrier_.n_waiting_ = 0;
        barrier_.waiters_.CompleteAll(internal::WaitEnd::kServed);
        return internal::WaitEnd::kServed;
      }
      ++barrier_.n_waiting_;
      barrier_.waiters_.Join(*this);
      return internal::WaitEnd::kWaiting;
    }
    OwnerThread& owner() { return barrier_.owner_; }
    void AfterCancel() { --barrier_.n_waiting_; }

    Barrier& barrier_;
    bool last_ = false;
  };

  // For at least one party (checked).
  explicit Barrier(size_t n_parties) : n_parties_(n_parties) {
    RINGWAY_CHECK(n_parties > 0, "a Barrier needs at least one party");
  }
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  // Waits until n_parties() tasks have arrived. They continue in order of
  // arrival; the next arrival begins a new round.
  //
  // Result:       true for the task that arrived last.
  // Errors:       Cancelled.
  // Ownership:    the barrier must outlive the wait only.
  // Cancellation: the task has not arrived, and the others wait for one more.
  //               Once all have arrived, a cancel is too late.
  // Cost:         no allocation.
  ArriveOp Arrive() { return ArriveOp(*this); }

  size_t n_parties() const { return n_parties_; }
  // The number of tasks that have arrived and wait.
  size_t n_waiting() const {
    owner_.CheckOrGone("a Barrier");
    return n_waiting_;
  }

 private:
  const size_t n_parties_;
  size_t n_waiting_ = 0;
  OwnerThread owner_ = OwnerThread::Unbound();
  internal::WaitLine<ArriveOp> waiters_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_SYNC_BARRIER_H_
