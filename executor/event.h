// SPDX-License-Identifier: Apache-2.0
//
// Event: tasks of one executor wait until it is set. It stays set until
// Reset().

#ifndef RINGWAY_EXECUTOR_EVENT_H_
#define RINGWAY_EXECUTOR_EVENT_H_

#include <coroutine>

#include "absl/status/status.h"
#include "core/intrusive_list.h"
#include "executor/task_context.h"

namespace ringway {

class Event {
 public:
  class [[nodiscard]] WaitOp : private Suspension, public ListNode {
   public:
    explicit WaitOp(Event& event)
        : Suspension(&OnCancel, "an event"), event_(event) {}
    ~WaitOp() {
      if (linked())
        Unlink();  // only when the waiter's frame is destroyed where it waits
    }
    bool await_ready() const noexcept { return false; }
    template <TaskPromise P>
    bool await_suspend(std::coroutine_handle<P> leaf) {
      TaskContext& task = leaf.promise().task();
      cancelled_ = task.cancelled();
      if (cancelled_ || event_.set_) return task.SkipWait(leaf);
      task.Park(leaf, *this);
      task_ = &task;
      event_.waiters_.PushBack(*this);
      return true;
    }
    absl::Status await_resume() const {
      return cancelled_ ? absl::Status(absl::StatusCode::kCancelled, "")
                        : absl::OkStatus();
    }

   private:
    friend class Event;
    static void OnCancel(Suspension& suspension) {
      WaitOp& self = static_cast<WaitOp&>(suspension);
      self.Unlink();
      self.cancelled_ = true;
      self.task_->Wake();
    }

    Event& event_;
    TaskContext* task_ = nullptr;
    bool cancelled_ = false;
  };

  Event() = default;

  bool is_set() const { return set_; }

  // Wakes every waiter, in the order they came.
  void Set() {
    set_ = true;
    while (WaitOp* waiter = waiters_.PopFront()) waiter->task_->Wake();
  }
  void Reset() { set_ = false; }

  // OK once the event is set (at once if it is), Cancelled if the task is, also
  // when both are true. The event must outlive the wait. No allocation.
  WaitOp Wait() { return WaitOp(*this); }

 private:
  bool set_ = false;
  IntrusiveList<WaitOp> waiters_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_EVENT_H_
