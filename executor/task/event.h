// SPDX-License-Identifier: Apache-2.0
//
// Event: tasks of one executor wait until it is set. It stays set until
// Reset().

#ifndef RINGWAY_EXECUTOR_TASK_EVENT_H_
#define RINGWAY_EXECUTOR_TASK_EVENT_H_

#include "absl/status/status.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/task/wait.h"

namespace ringway {

// For the thread of the first task that waits for it, until that thread has
// ended (checked); several executors of that thread may share it. No task may
// wait for it when it is destroyed (checked).
class Event {
 public:
  class [[nodiscard]] WaitOp : public internal::QueuedWait<WaitOp> {
   public:
    explicit WaitOp(Event& event) : QueuedWait("an event"), event_(event) {}
    absl::Status await_resume() const { return status(); }

   private:
    friend class internal::Wait<WaitOp>;
    friend class internal::QueuedWait<WaitOp>;
    friend class internal::WaitLine<WaitOp>;
    static constexpr char kOwner[] = "an Event";

    internal::WaitEnd Begin() {
      if (event_.set_) return internal::WaitEnd::kServed;
      event_.waiters_.Join(*this);
      return internal::WaitEnd::kWaiting;
    }
    OwnerThread& owner() { return event_.owner_; }

    Event& event_;
  };

  Event() = default;

  bool is_set() const {
    owner_.CheckOrGone("an Event");
    return set_;
  }

  // Wakes every waiter, in the order they came.
  void Set() {
    owner_.CheckOrGone("an Event");
    set_ = true;
    waiters_.CompleteAll(internal::WaitEnd::kServed);
  }
  void Reset() {
    owner_.CheckOrGone("an Event");
    set_ = false;
  }

  // OK once the event is set (at once if it is), Cancelled if the task is, also
  // when both are true. The event must outlive the wait. No allocation.
  WaitOp Wait() { return WaitOp(*this); }

  // True while a task waits.
  bool awaited() const { return !waiters_.empty(); }

 private:
  bool set_ = false;
  OwnerThread owner_ = OwnerThread::Unbound();
  internal::WaitLine<WaitOp> waiters_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_EVENT_H_
