// SPDX-License-Identifier: Apache-2.0

#include "ringway/pools/blocking/blocking_call.h"

#include <utility>

#include "ringway/core/cancelled_status.h"
#include "ringway/executor/remote/pooled.h"

namespace ringway::internal {

void BlockingCall::Run() noexcept {
  Call();
  Finish();
}

void BlockingCall::Drop() noexcept {
  DropFunction();
  dropped_ = true;
  Finish();
}

// The task may take the result, and drop the call, as soon as `done_` is set.
void BlockingCall::Finish() noexcept {
  std::shared_ptr<ParkedTask> awaiter = std::move(awaiter_);
  done_.store(true, std::memory_order_release);
  ParkedTask::Wake(std::move(awaiter));
}

BlockingWait::BlockingWait(std::shared_ptr<JobPool> pool,
                           std::shared_ptr<BlockingCall> call)
    : Suspension(&OnCancel, "a call of RunBlocking()"),
      pool_(std::move(pool)),
      call_(std::move(call)) {}

bool BlockingWait::Begin(std::coroutine_handle<> leaf, TaskContext& task) {
  task_ = &task;
  cancelled_ = task.cancelled();
  if (cancelled_) return task.SkipWait(leaf);
  parked_ = MakePooled<ParkedTask>(task);
  call_->SetAwaiter(parked_);
  start_status_ = pool_->Start(call_);
  if (!start_status_.ok()) {
    parked_.reset();
    return task.SkipWait(leaf);
  }
  // Woken by a message to this thread, so not before this has returned.
  static_cast<void>(task.Park(leaf, *this));
  return true;
}

void BlockingWait::Leave() {
  if (parked_ == nullptr) return;
  std::exchange(parked_, nullptr)->Forget();
  if (pool_->Withdraw(*call_)) call_->DropFunction();
}

void BlockingWait::OnCancel(Suspension& suspension) {
  BlockingWait& self = static_cast<BlockingWait&>(suspension);
  if (self.call_->done()) return;  // the task is about to continue with it
  self.Leave();
  self.cancelled_ = true;
  self.task_->Wake();
}

absl::Status BlockingWait::status() const {
  if (cancelled_) return CancelledStatus();
  if (!start_status_.ok()) return start_status_;
  if (call_->dropped())
    return absl::UnavailableError("the pool has ended before the call began");
  return absl::OkStatus();
}

}  // namespace ringway::internal
