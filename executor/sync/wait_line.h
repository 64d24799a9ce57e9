// SPDX-License-Identifier: Apache-2.0
//
// WaitLine and QueuedWait: tasks in line, in the order they came. What every
// primitive of this package is made of.
//
// The awaitable is the list node, so waiting allocates nothing. Whoever serves
// it puts the result into it and takes it out of the line, all before its task
// runs again: a cancel that comes after that finds nothing to end, and what was
// handed over stays handed over.
//
//   class [[nodiscard]] WaitOp : public internal::QueuedWait<WaitOp> {
//    public:
//     absl::Status await_resume() const { return status(); }
//    private:
//     static constexpr char kOwner[] = "a Gate";
//     OwnerThread& owner();  // the gate's: its tasks are of one thread
//     WaitEnd Begin();     // takes what it wants, or joins a line: kWaiting
//     void AfterCancel();  // it has left the line unserved
//   };
//
// A primitive is for the thread of the first task that waits for it, or holds
// it, until that thread has ended: each of its functions checks its owner.

#ifndef RINGWAY_EXECUTOR_SYNC_WAIT_LINE_H_
#define RINGWAY_EXECUTOR_SYNC_WAIT_LINE_H_

#include <coroutine>
#include <cstdint>

#include "absl/status/status.h"
#include "ringway/core/check.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/task/task_context.h"

namespace ringway::internal {

// How a wait ended.
enum class WaitEnd : uint8_t { kWaiting, kServed, kClosed, kCancelled };

// Without text, which would allocate.
inline absl::Status StatusOf(WaitEnd end) {
  switch (end) {
    case WaitEnd::kClosed:
      return absl::Status(absl::StatusCode::kUnavailable, "");
    case WaitEnd::kCancelled:
      return absl::Status(absl::StatusCode::kCancelled, "");
    case WaitEnd::kWaiting:
    case WaitEnd::kServed:
      break;
  }
  return absl::OkStatus();
}

// Those who wait for one thing. Must be empty when it is destroyed (checked).
template <typename Op>
class WaitLine {
 public:
  WaitLine() = default;
  ~WaitLine() {
    RINGWAY_CHECK(empty(), "%s was destroyed while a task waits for it",
                  Op::kOwner);
  }

  bool empty() const { return waits_.empty(); }

  // The one that has waited longest, or null.
  Op* front() { return waits_.front(); }

  void Join(Op& op) { waits_.PushBack(op); }

  // Ends the wait of front(), which has been given its result. Its task goes on
  // in its turn.
  void CompleteFront(WaitEnd end) { waits_.front()->Complete(end); }
  void CompleteAll(WaitEnd end) {
    while (!empty()) CompleteFront(end);
  }

 private:
  IntrusiveList<Op> waits_;
};

// Base of an awaitable `Op`. What it waits for must stay while it is in line;
// once served, nothing here refers to that.
template <typename Op>
class QueuedWait : public ListNode, private Suspension {
 public:
  bool await_ready() const noexcept { return false; }
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    op().owner().BindOrCheck(Op::kOwner);
    end_ = task.cancelled() ? WaitEnd::kCancelled : op().Begin();
    if (end_ != WaitEnd::kWaiting) return task.SkipWait(leaf);
    task.Park(leaf, *this);
    task_ = &task;
    return true;
  }

 protected:
  bool served() const { return end_ == WaitEnd::kServed; }
  // OK if served(), else Unavailable or Cancelled.
  absl::Status status() const { return StatusOf(end_); }

 private:
  friend Op;
  friend class WaitLine<Op>;

  QueuedWait() : Suspension(&OnCancel, Op::kOwner) {}
  ~QueuedWait() {
    if (linked()) Unlink();  // only when its frame is destroyed where it waits
  }

  void Complete(WaitEnd end) {
    Unlink();
    end_ = end;
    task_->Wake();
  }

  static void OnCancel(Suspension& suspension) {
    QueuedWait& self = static_cast<QueuedWait&>(suspension);
    self.Complete(WaitEnd::kCancelled);
    self.op().AfterCancel();
  }

  Op& op() { return static_cast<Op&>(*this); }

  TaskContext* task_ = nullptr;
  WaitEnd end_ = WaitEnd::kWaiting;
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_SYNC_WAIT_LINE_H_
