// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/structured/timeout.h"

#include "ringway/core/runnable.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/shield.h"

namespace ringway::internal {
namespace {

// Cancels a task at a time. Destroying it calls that off.
class CancelTimer : public Runnable {
 public:
  CancelTimer(Loop& loop, MonotonicTime deadline, JoinHandleBase& target)
      : Runnable(&OnFired), loop_(loop), target_(target) {
    if (deadline <= loop.backend().clock().Now()) {
      Fire();
      return;
    }
    timer_.on_fired = this;
    loop_.ArmTimer(timer_, deadline);
  }
  ~CancelTimer() { CallOff(); }

  void CallOff() {
    loop_.DisarmTimer(timer_);
    if (linked()) Unlink();  // it has fired and would run in a moment
  }

  bool expired() const { return expired_; }

 private:
  static void OnFired(Runnable& entry) {
    static_cast<CancelTimer&>(entry).Fire();
  }
  void Fire() {
    expired_ = !target_.done();
    target_.Cancel();
  }

  Loop& loop_;
  JoinHandleBase& target_;
  LoopTimer timer_;
  bool expired_ = false;
};

Task<absl::Status> EndOf(JoinHandleBase& handle) {
  co_return co_await handle.Wait();
}

}  // namespace

Task<bool> WaitUntil(MonotonicTime deadline, JoinHandleBase& child) {
  CancelTimer timer(Executor::Current()->loop(), deadline, child);
  JoinWait wait(child);
  const absl::Status waited = co_await wait;
  if (!waited.ok()) {
    timer.CallOff();
    co_await CancelAndWait(child);
  }
  co_return timer.expired();
}

// The wait is a task of its own, so that the deadline cancels the wait and not
// the task that is waited for.
Task<absl::Status> WaitWithin(absl::Duration grace, JoinHandleBase& handle) {
  if (handle.done()) co_return absl::OkStatus();
  Task<absl::Status> wait = EndOf(handle);
  co_return co_await WithTimeout(grace, std::move(wait));
}

Task<void> CancelAndWait(JoinHandleBase& child) {
  child.Cancel();
  Shield shield;
  JoinWait wait(child);
  static_cast<void>(co_await wait);
}

}  // namespace ringway::internal
