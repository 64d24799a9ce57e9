// SPDX-License-Identifier: Apache-2.0
//
// Notify: wakes one waiting task, or all, to check a condition again.
//
// For a condition in other data: change it and notify; the waiter then checks
// it again. A NotifyOne() without a waiter is stored, once, so that checking
// first and waiting afterwards misses nothing. Use Event for a condition that
// stays true, Channel to pass values.
//
//   queue.push_back(job);
//   notify.NotifyOne();
//   ...
//   while (queue.empty()) {
//     absl::Status woken = co_await notify.Wait();
//     if (!woken.ok()) co_return woken;
//   }

#ifndef RINGWAY_EXECUTOR_SYNC_NOTIFY_H_
#define RINGWAY_EXECUTOR_SYNC_NOTIFY_H_

#include <utility>

#include "absl/status/status.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/task/wait.h"

namespace ringway {

// For one worker. No task may wait when it is destroyed (checked).
class Notify {
 public:
  class [[nodiscard]] WaitOp : public internal::QueuedWait<WaitOp> {
   public:
    explicit WaitOp(Notify& notify) : notify_(notify) {}
    absl::Status await_resume() const { return status(); }

   private:
    friend class internal::Wait<WaitOp>;
    friend class internal::QueuedWait<WaitOp>;
    friend class internal::WaitLine<WaitOp>;
    static constexpr char kOwner[] = "a Notify";

    internal::WaitEnd Begin() {
      if (std::exchange(notify_.permit_, false)) {
        return internal::WaitEnd::kServed;
      }
      notify_.waiters_.Join(*this);
      return internal::WaitEnd::kWaiting;
    }
    OwnerThread& owner() { return notify_.owner_; }

    Notify& notify_;
  };

  Notify() = default;
  Notify(const Notify&) = delete;
  Notify& operator=(const Notify&) = delete;

  // Ends the wait of the task that has waited longest, or, if none waits,
  // makes the next Wait() end at once. Several calls without a waiter count
  // as one.
  void NotifyOne() {
    owner_.CheckOrGone("a Notify");
    if (waiters_.empty()) {
      permit_ = true;
    } else {
      waiters_.CompleteFront(internal::WaitEnd::kServed);
    }
  }

  // Ends the wait of every waiting task; does not affect later waits.
  void NotifyAll() {
    owner_.CheckOrGone("a Notify");
    waiters_.CompleteAll(internal::WaitEnd::kServed);
  }

  // Waits for a notification, in call order.
  //
  // Errors:       Cancelled.
  // Ownership:    this must outlive the wait only: it may be destroyed before
  //               a notified task continues.
  // Cancellation: consumes no notification. A task that is notified and then
  //               cancelled in the same turn has been notified: OK.
  // Cost:         no allocation.
  WaitOp Wait() { return WaitOp(*this); }

 private:
  bool permit_ = false;
  OwnerThread owner_ = OwnerThread::Unbound();
  internal::WaitLine<WaitOp> waiters_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_SYNC_NOTIFY_H_
