// SPDX-License-Identifier: Apache-2.0
//
// Sleep, SleepUntil and Yield: giving the thread up, for a time or for a turn.

#ifndef RINGWAY_EXECUTOR_TASK_SLEEP_H_
#define RINGWAY_EXECUTOR_TASK_SLEEP_H_

#include <coroutine>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/executor/task/wait.h"

namespace ringway {

class [[nodiscard]] SleepOp : public internal::Wait<SleepOp> {
 public:
  explicit SleepOp(absl::Duration duration)
      : Wait("a sleep"), relative_(true), duration_(duration) {}
  explicit SleepOp(MonotonicTime until)
      : Wait("a sleep"), relative_(false), until_(until) {}
  ~SleepOp() { LeaveIfWaiting(); }

  absl::Status await_resume() {
    if (waiting()) Finish(internal::WaitEnd::kServed);
    return status();
  }

 private:
  friend class internal::Wait<SleepOp>;

  internal::WaitEnd Begin();
  // False once the timer has fired.
  bool Leave() { return task().loop().DisarmTimer(timer_); }

  const bool relative_;
  const absl::Duration duration_;  // of meaning only if relative_
  const MonotonicTime until_;      // of meaning only if not
  LoopTimer timer_;
};

// Waits for `duration`, counted from now and not from the start of the turn:
// never less, however long the turn has been. Zero or negative: until the next
// turn. Infinite: until cancelled.
//
// Errors:       Cancelled, at once when the task is cancelled.
// Cost:         no allocation, no system call of its own; O(1) with any
//               number of sleepers.
inline SleepOp Sleep(absl::Duration duration) { return SleepOp(duration); }

// Waits until the loop's clock has reached `deadline`. Otherwise like Sleep().
inline SleepOp SleepUntil(MonotonicTime deadline) { return SleepOp(deadline); }

// Lets everything that is ready run first. Not a cancellation point.
class [[nodiscard]] YieldOp {
 public:
  bool await_ready() const noexcept { return false; }
  template <TaskPromise P>
  void await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    task.ParkBriefly(leaf);
    task.Wake();
  }
  void await_resume() const noexcept {}
};

inline YieldOp Yield() { return {}; }

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_SLEEP_H_
