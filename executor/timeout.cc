// SPDX-License-Identifier: Apache-2.0

#include "executor/timeout.h"

#include "core/runnable.h"
#include "executor/loop.h"
#include "executor/shield.h"

namespace ringway::internal {
namespace {

// Cancels a task at a time. Destroying it calls that off.
class CancelTimer : public Runnable {
 public:
  CancelTimer(Loop& loop, absl::Duration timeout, JoinHandleBase& target)
      : Runnable(&OnFired), loop_(loop), target_(target) {
    if (timeout <= absl::ZeroDuration()) {
      Fire();
      return;
    }
    timer_.on_fired = this;
    loop_.ArmTimer(timer_, loop_.backend().clock().Now() + timeout);
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

}  // namespace

Task<bool> WaitWithTimeout(absl::Duration timeout, JoinHandleBase& child) {
  CancelTimer timer(Executor::Current()->loop(), timeout, child);
  JoinWait wait(child);
  const absl::Status waited = co_await wait;
  if (!waited.ok()) {
    timer.CallOff();
    child.Cancel();
    Shield shield;
    JoinWait wait_for_end(child);
    static_cast<void>(co_await wait_for_end);
  }
  co_return timer.expired();
}

}  // namespace ringway::internal
