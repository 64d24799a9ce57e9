// SPDX-License-Identifier: Apache-2.0
//
// WaitLimit: the part of WithTimeout() and WithDeadline() that does not
// depend on the awaitable's type. Internal.

#ifndef RINGWAY_EXECUTOR_STRUCTURED_WAIT_LIMIT_H_
#define RINGWAY_EXECUTOR_STRUCTURED_WAIT_LIMIT_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/task_context.h"

namespace ringway::internal {

// A timeout or a deadline; after Begin() it has both.
class TimeLimit {
 public:
  explicit TimeLimit(absl::Duration timeout)
      : relative_(true), timeout_(timeout) {}
  explicit TimeLimit(MonotonicTime deadline)
      : relative_(false), deadline_(deadline) {}

  void Begin(MonotonicTime now) {
    if (relative_) {
      deadline_ = now + timeout_;
    } else {
      timeout_ = deadline_ - now;
    }
  }

  // After Begin().
  absl::Duration timeout() const { return timeout_; }
  MonotonicTime deadline() const { return deadline_; }
  bool has_passed() const { return timeout_ <= absl::ZeroDuration(); }

 private:
  const bool relative_;
  absl::Duration timeout_;
  MonotonicTime deadline_;
};

// DeadlineExceeded for a limit that has begun:
//   "deadline of 5s exceeded waiting for recv on fd 7".
absl::Status DeadlineExceeded(const TimeLimit& limit,
                              std::string_view waited_for);

// Ends one wait of a task at a deadline, not the task. The destructor disarms
// it.
class WaitLimit : private Runnable {
 public:
  explicit WaitLimit(const TimeLimit& limit)
      : Runnable(&OnFired), limit_(limit) {}
  WaitLimit(const WaitLimit&) = delete;
  WaitLimit& operator=(const WaitLimit&) = delete;
  ~WaitLimit() { CallOff(); }

  // Called before the wait. False if the deadline has passed and the wait
  // must not begin. If the task is cancelled the wait begins, so that it
  // returns Cancelled.
  bool Begin(TaskContext& task);

  // Called once `task` waits.
  void Arm();

  // Called after the wait.
  void CallOff();

  bool began() const { return began_; }
  // True if the deadline ended the wait.
  bool ended_wait() const { return began_ && !exceeded_.ok(); }
  // DeadlineExceeded, if the wait did not begin or was ended.
  const absl::Status& exceeded() const { return exceeded_; }

 private:
  static void OnFired(Runnable& entry);

  TimeLimit limit_;
  TaskContext* task_ = nullptr;
  LoopTimer timer_;
  absl::Status exceeded_;
  bool began_ = false;
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_STRUCTURED_WAIT_LIMIT_H_
