// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/structured/timeout.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/clock.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/shield.h"

namespace ringway::internal {
namespace {

// Cancels a task at a given time. Destroying it disarms it.
class CancelTimer : public Runnable {
 public:
  CancelTimer(Loop& loop, const TimeLimit& limit, JoinHandleBase& target)
      : Runnable(&OnFired), loop_(loop), target_(target), limit_(limit) {
    limit_.Begin(loop.backend().clock().Now());
    if (limit_.has_passed()) {
      Fire();
      return;
    }
    timer_.on_fired = this;
    loop_.ArmTimer(timer_, limit_.deadline());
  }
  ~CancelTimer() { CallOff(); }

  void CallOff() {
    loop_.DisarmTimer(timer_);
    if (linked()) Unlink();  // it has fired and is about to run
  }

  // DeadlineExceeded if it cancelled the task.
  const absl::Status& exceeded() const { return exceeded_; }

 private:
  static void OnFired(Runnable& entry) {
    static_cast<CancelTimer&>(entry).Fire();
  }
  void Fire() {
    if (target_.done()) return;
    exceeded_ = DeadlineExceeded(limit_, target_.WaitsFor());
    target_.Cancel();
  }

  Loop& loop_;
  JoinHandleBase& target_;
  TimeLimit limit_;
  LoopTimer timer_;
  absl::Status exceeded_;
};

}  // namespace

Task<absl::Status> WaitUntil(TimeLimit limit, JoinHandleBase& child) {
  CancelTimer timer(Executor::Current()->loop(), limit, child);
  JoinWait wait(child);
  const absl::Status waited = co_await wait;
  if (!waited.ok()) {
    timer.CallOff();
    co_await CancelAndWait(child);
  }
  co_return timer.exceeded();
}

Task<absl::Status> WaitWithin(absl::Duration grace, JoinHandleBase& handle) {
  if (handle.done()) co_return absl::OkStatus();
  JoinWait wait(handle);
  absl::Status ended = co_await WithTimeout(grace, wait);
  if (absl::IsDeadlineExceeded(ended)) {
    const std::string waits_for = handle.WaitsFor();
    ended = absl::DeadlineExceededError(
        absl::StrCat("a cancelled task has not ended within its grace of ",
                     absl::FormatDuration(grace),
                     waits_for.empty() ? "" : ", waiting for ", waits_for));
  }
  co_return ended;
}

Task<void> CancelAndWait(JoinHandleBase& child) {
  child.Cancel();
  Shield shield;
  JoinWait wait(child);
  static_cast<void>(co_await wait);
}

}  // namespace ringway::internal
