// SPDX-License-Identifier: Apache-2.0
//
// Event: tasks of one executor wait until it is set. It stays set until
// Reset().

#ifndef RINGWAY_EXECUTOR_TASK_EVENT_H_
#define RINGWAY_EXECUTOR_TASK_EVENT_H_

#include <coroutine>

#include "absl/status/status.h"
#include "ringway/core/check.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/task/task_context.h"

namespace ringway {

// For the thread of the first task that waits for it, until that thread has
// ended (checked); several executors of that thread may share it. No task may
// wait for it when it is destroyed (checked).
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
      event_.owner_.BindOrCheck("an Event");
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
  ~Event() {
    RINGWAY_CHECK(!awaited(),
                  "an Event was destroyed while a task waits for it");
  }

  bool is_set() const {
    owner_.CheckOrGone("an Event");
    return set_;
  }

  // Wakes every waiter, in the order they came.
  void Set() {
    owner_.CheckOrGone("an Event");
    set_ = true;
    while (WaitOp* waiter = waiters_.PopFront()) waiter->task_->Wake();
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
  IntrusiveList<WaitOp> waiters_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_EVENT_H_
