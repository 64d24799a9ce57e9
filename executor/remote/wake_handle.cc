// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/remote/wake_handle.h"

#include <utility>

#include "ringway/core/check.h"
#include "ringway/executor/remote/wake_message.h"

namespace ringway {
namespace internal {

// Shared by a Waker and its handles.
class WakeState final : public WakeMessage {
 public:
  using WakeMessage::WakeMessage;

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
  void OnWoken() override {
    woken_ = true;
    Waker::WaitOp* waiter = std::exchange(waiter_, nullptr);
    if (waiter != nullptr) waiter->Complete(WaitEnd::kServed);
  }

  Waker::WaitOp* waiter_ = nullptr;
  bool woken_ = false;
};

}  // namespace internal

void WakeHandle::Wake() const {
  if (state_ != nullptr) state_->Send();
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
