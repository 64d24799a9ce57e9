// SPDX-License-Identifier: Apache-2.0
//
// Waker and WakeHandle: any thread wakes a task that waits.
//
//   ringway::Waker waker;
//   library.OnProgress([wake = waker.handle()] { wake.Wake(); });
//   while (!library.finished()) {
//     absl::Status woken = co_await waker.Wait();
//     ...
//   }
//
// Wake-ups carry nothing and coalesce: any number of them before a Wait() end
// one Wait(). None is lost: what a thread wrote before Wake() is visible to the
// task after a Wait() that had not ended then, or after the next.

#ifndef RINGWAY_EXECUTOR_REMOTE_WAKE_HANDLE_H_
#define RINGWAY_EXECUTOR_REMOTE_WAKE_HANDLE_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "ringway/executor/loop/loop_dependent.h"
#include "ringway/executor/task/wait.h"

namespace ringway {

namespace internal {
class WakeState;
}  // namespace internal

// The waker's end. Copyable; outlives the Waker and its executor safely.
class WakeHandle {
 public:
  // Wakes nobody.
  WakeHandle() = default;

  // Ends the wait that is under way, or else the next. Does nothing when the
  // Waker or its executor is gone, and in a forked child, where neither is.
  //
  // Threads: any; no signal handlers (ringing the doorbell takes a lock).
  // Cost:    one atomic exchange if a wake-up is on its way already, else a
  //          message to the executor. No allocation.
  void Wake() const;

 private:
  friend class Waker;
  explicit WakeHandle(std::shared_ptr<internal::WakeState> state)
      : state_(std::move(state)) {}

  std::shared_ptr<internal::WakeState> state_;
};

// The waiting task's end. Belongs to the executor in which it was made, and may
// outlive it (executor/loop/loop_dependent.h). No task may wait for it when it
// is destroyed (checked).
class Waker final : private LoopDependent {
 public:
  class WaitOp;

  // Aborts outside of a running executor. Allocates.
  Waker();
  ~Waker() override;
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  // Threads: any.
  WakeHandle handle() const { return WakeHandle(state_); }

  // Waits for a Wake() since the last wait ended; at once if there was one. One
  // task at a time (checked). The Waker must outlive the wait.
  //
  // Errors:       Cancelled; a wake-up that was there is kept for the next
  //               wait. FailedPrecondition once the executor has ended.
  // Threads:      the executor's only (checked).
  // Cancellation: ends the wait.
  // Cost:         no allocation.
  WaitOp Wait();

 private:
  // No task is left that could wait.
  void OnLoopEnd() override {}

  std::shared_ptr<internal::WakeState> state_;
};

class [[nodiscard]] Waker::WaitOp : public internal::Wait<WaitOp> {
 public:
  ~WaitOp() { LeaveIfWaiting(); }

  absl::Status await_resume();

 private:
  friend class Waker;
  friend class internal::Wait<WaitOp>;
  friend class internal::WakeState;
  explicit WaitOp(Waker& waker);

  internal::WaitEnd Admit();
  internal::WaitEnd Begin();
  bool Leave();

  Waker& waker_;
  internal::WakeState& state_;
  const Unusable unusable_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_REMOTE_WAKE_HANDLE_H_
