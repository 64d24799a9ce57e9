// SPDX-License-Identifier: Apache-2.0
//
// Wait, QueuedWait and WaitLine: the bases of awaitables whose task is parked
// until something else on its thread ends the wait - a timer, a connection,
// another task. (An awaitable that starts an operation of its own derives from
// OperationAwait.)
//
// The awaitable is the wait, so waiting allocates nothing. Whatever ends the
// wait stores the result in it and unregisters it, both before the task runs
// again: a later cancel finds nothing to end, and a result that was handed over
// stays handed over.
//
//   class [[nodiscard]] WaitOp : public internal::QueuedWait<WaitOp> {
//    public:
//     absl::Status await_resume() const { return status(); }
//
//    private:
//     friend class internal::Wait<WaitOp>;
//     friend class internal::QueuedWait<WaitOp>;
//     friend class internal::WaitLine<WaitOp>;
//     static constexpr char kOwner[] = "a Gate";
//
//     OwnerThread& owner() { return gate_.owner_; }
//     WaitEnd Begin();     // takes what it wants, or joins a line: kWaiting
//     void AfterCancel();  // optional: it has left the line without a result
//   };

#ifndef RINGWAY_EXECUTOR_TASK_WAIT_H_
#define RINGWAY_EXECUTOR_TASK_WAIT_H_

#include <coroutine>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/check.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/task/task_context.h"

namespace ringway::internal {

// How a wait ended.
enum class WaitEnd : uint8_t {
  kWaiting,    // it has not, or the loop continued the task by itself: a timer
  kServed,     // with a result
  kClosed,     // what it waited for will not come any more
  kCancelled,  // the task was cancelled, or the wait's deadline has passed
  kUnusable,   // it never began: the object is empty, or its loop has ended
};

// Without text, which would have to be allocated.
inline absl::Status StatusOf(WaitEnd end) {
  switch (end) {
    case WaitEnd::kClosed:
      return absl::Status(absl::StatusCode::kUnavailable, "");
    case WaitEnd::kUnusable:
      return absl::Status(absl::StatusCode::kFailedPrecondition, "");
    case WaitEnd::kCancelled:
      return CancelledStatus();
    case WaitEnd::kWaiting:
    case WaitEnd::kServed:
      break;
  }
  return absl::OkStatus();
}

template <typename Op>
class QueuedWait;

// Base of an awaitable `Op`, which has these functions:
//
//   WaitEnd Admit()     Optional. Runs first, even for a cancelled task, and
//                       checks the thread. Anything but kWaiting ends the wait,
//                       as for an object that cannot be used.
//   WaitEnd Begin()     Takes what it wants, or registers the wait and returns
//                       kWaiting. If it throws, the task does not wait.
//   bool Leave()        Withdraws the wait. False if it is over already and the
//                       task about to continue.
//   void AfterCancel()  Optional; the wait was withdrawn and ends as cancelled.
//
// An Op that is registered somewhere calls LeaveIfWaiting() in its destructor:
// an executor that ends destroys frames where they wait.
template <typename Op>
class Wait : protected Suspension {
 public:
  bool await_ready() const noexcept { return false; }
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    return Suspend(leaf, leaf.promise().task());
  }

 protected:
  ~Wait() = default;

  // The awaitable behind a Suspension of this kind, for a DescribeFunction.
  static const Op& Of(const Suspension& suspension) {
    return static_cast<const Op&>(static_cast<const Wait&>(suspension));
  }

  // The task that waits, or would; from Admit() on.
  TaskContext& task() const { return *task_; }
  bool waiting() const { return waiting_; }

  WaitEnd end() const { return end_; }
  bool served() const { return end_ == WaitEnd::kServed; }
  bool cancelled() const { return end_ == WaitEnd::kCancelled; }
  // OK, or why there is no result.
  absl::Status status() const { return StatusOf(end_); }

  // Ends the wait, which is registered nowhere any more and has its result. The
  // task continues in its turn; CompleteNow() continues it at once and is for
  // functions that the loop runs, which do nothing afterwards.
  void Complete(WaitEnd end) {
    Finish(end);
    task_->Wake();
  }
  void CompleteNow(WaitEnd end) {
    Finish(end);
    task_->Resume();
  }
  // The same for a wait whose task the loop continues by itself.
  void Finish(WaitEnd end) {
    end_ = end;
    waiting_ = false;
  }

  // Defaults.
  WaitEnd Admit() { return WaitEnd::kWaiting; }
  void AfterCancel() {}

  void LeaveIfWaiting() {
    if (std::exchange(waiting_, false)) static_cast<void>(op().Leave());
  }

 private:
  friend Op;
  friend class QueuedWait<Op>;

  // What a dump says that the task waits for: a text that is not copied, or a
  // function.
  explicit Wait(const char* what) : Suspension(&OnCancel, what) {}
  explicit Wait(DescribeFunction describe) : Suspension(&OnCancel, describe) {}
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  static void OnCancel(Suspension& suspension) {
    Wait& self = static_cast<Wait&>(suspension);
    if (!self.op().Leave()) return;
    self.Complete(WaitEnd::kCancelled);
    self.op().AfterCancel();
  }

  Op& op() { return static_cast<Op&>(*this); }

  // Compiled once, whatever the type of the coroutine.
  bool Suspend(std::coroutine_handle<> leaf, TaskContext& task) {
    task_ = &task;
    end_ = op().Admit();
    if (end_ == WaitEnd::kWaiting)
      end_ = task.cancelled() ? WaitEnd::kCancelled : op().Begin();
    // Only a task that does wait is parked: its suspension would stay behind.
    if (end_ != WaitEnd::kWaiting) return task.SkipWait(leaf);
    task.Park(leaf, *this);
    waiting_ = true;
    return true;
  }

  TaskContext* task_ = nullptr;
  WaitEnd end_ = WaitEnd::kWaiting;
  bool waiting_ = false;
};

// The waits for one thing, in the order they came. Must be empty when it is
// destroyed (checked).
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

  // Ends the wait of front(), which has been given its result.
  void CompleteFront(WaitEnd end) { waits_.front()->LeaveAndComplete(end); }
  void CompleteAll(WaitEnd end) {
    while (!empty()) CompleteFront(end);
  }

 private:
  IntrusiveList<Op> waits_;
};

// A Wait in a WaitLine. What it waits for must outlive the wait, but not the
// task's next turn: once the wait has ended nothing here refers to it.
//
// It is for the thread of the first task that waits, or holds what is waited
// for, until that thread has ended: Admit() checks that. An Op with another
// rule has an Admit() of its own and no owner().
template <typename Op>
class QueuedWait : public Wait<Op>, public ListNode {
 protected:
  ~QueuedWait() {
    if (linked()) Unlink();  // only when its frame is destroyed where it waits
  }

  WaitEnd Admit() {
    static_cast<Op&>(*this).owner().BindOrCheck(Op::kOwner);
    return WaitEnd::kWaiting;
  }
  bool Leave() {
    Unlink();
    return true;
  }

 private:
  friend Op;
  friend class WaitLine<Op>;

  explicit QueuedWait(const char* what = Op::kOwner) : Wait<Op>(what) {}
  explicit QueuedWait(Suspension::DescribeFunction describe)
      : Wait<Op>(describe) {}

  void LeaveAndComplete(WaitEnd end) {
    Unlink();
    this->Complete(end);
  }
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_TASK_WAIT_H_
