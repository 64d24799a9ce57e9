// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/remote/wake_handle.h"

#include <atomic>

#include "ringway/core/check.h"
#include "ringway/executor/remote/executor_handle.h"

namespace ringway {
namespace internal {

// Shared by a Waker and its handles; one message for all wake-ups.
class WakeState : private InboxMessage {
 public:
  explicit WakeState(Executor& executor)
      : InboxMessage(&Received), home_(executor) {}

  // Any thread.
  static void Wake(const std::shared_ptr<WakeState>& state) {
    // A message that is on its way will do for this wake-up, too: it is marked
    // as received before anybody acts on it. Once one was refused for good the
    // mark stays.
    if (state->sent_.exchange(true, std::memory_order_acq_rel)) return;
    state->self_ = state;
    if (!state->home_.Send(*state)) state->self_.reset();
  }

  // --- The executor's thread.

  // Takes the wake-up that has come, if one has.
  bool Take() { return std::exchange(woken_, false); }

  bool awaited() const { return waiter_ != nullptr; }
  void SetWaiter(Waker::WaitOp& op) {
    RINGWAY_CHECK(waiter_ == nullptr, "two tasks wait for one Waker");
    waiter_ = &op;
  }
  void ForgetWaiter() { waiter_ = nullptr; }

 private:
  static void Received(InboxMessage& message, bool accepted) {
    WakeState& self = static_cast<WakeState&>(message);
    const std::shared_ptr<WakeState> keep = std::move(self.self_);
    if (!accepted) return;
    // An exchange, so that this sees what every waker had written whose
    // exchange found the mark set.
    self.sent_.exchange(false, std::memory_order_acq_rel);
    self.woken_ = true;
    Waker::WaitOp* waiter = std::exchange(self.waiter_, nullptr);
    if (waiter != nullptr) waiter->Complete(WaitEnd::kServed);
  }

  const ExecutorHandle home_;
  std::atomic<bool> sent_{false};
  std::shared_ptr<WakeState> self_;  // while in the inbox: whoever sent it last
  Waker::WaitOp* waiter_ = nullptr;
  bool woken_ = false;
};

}  // namespace internal

void WakeHandle::Wake() const {
  if (state_ != nullptr) internal::WakeState::Wake(state_);
}

namespace {

Executor& ExecutorOfThisThread() {
  Executor* executor = Executor::Current();
  RINGWAY_CHECK(executor != nullptr, "a Waker outside of a running executor");
  return *executor;
}

}  // namespace

Waker::Waker()
    : LoopDependent(ExecutorOfThisThread().loop()),
      state_(std::make_shared<internal::WakeState>(ExecutorOfThisThread())) {}

Waker::~Waker() {
  CheckDestroyed("a Waker");
  RINGWAY_CHECK(!state_->awaited(),
                "a Waker was destroyed while a task waits for it");
}

Waker::WaitOp Waker::Wait() { return WaitOp(*this); }

Waker::WaitOp::WaitOp(Waker& waker)
    : Wait("a wake-up"),
      waker_(waker),
      state_(*waker.state_),
      unusable_(WhyUnusable(&waker, "a Waker")) {}

internal::WaitEnd Waker::WaitOp::Admit() {
  if (unusable_ != Unusable::kNo) return internal::WaitEnd::kUnusable;
  waker_.CheckAwaitedOn(task().loop(), "a Waker");
  return internal::WaitEnd::kWaiting;
}

internal::WaitEnd Waker::WaitOp::Begin() {
  if (state_.Take()) return internal::WaitEnd::kServed;
  state_.SetWaiter(*this);
  return internal::WaitEnd::kWaiting;
}

bool Waker::WaitOp::Leave() {
  state_.ForgetWaiter();
  return true;
}

absl::Status Waker::WaitOp::await_resume() {
  if (unusable_ != Unusable::kNo) return UnusableStatus(unusable_, "Waker");
  if (served()) state_.Take();  // what has ended a wait, ends no other
  return status();
}

}  // namespace ringway
