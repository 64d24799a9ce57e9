// SPDX-License-Identifier: Apache-2.0
//
// Barrier: a number of tasks wait until all of them are there. Then it starts
// over for the next time.
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

// Of one worker. No task may wait when it is destroyed (checked).
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

  // Waits until as many tasks as there are parties have arrived. They go on in
  // the order they came; who comes then is the first of the next time.
  //
  // Result:       true for the one that came last, whom all had waited for.
  // Errors:       Cancelled.
  // Ownership:    this must outlive the wait, and no longer.
  // Cancellation: the task has not arrived: the others wait for one more. Once
  //               all are there a cancel comes too late, and all have arrived.
  // Cost:         no allocation.
  ArriveOp Arrive() { return ArriveOp(*this); }

  size_t n_parties() const { return n_parties_; }
  // Those who have arrived and wait.
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
