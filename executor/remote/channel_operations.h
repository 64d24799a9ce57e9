// SPDX-License-Identifier: Apache-2.0
//
// SendOp and ReceiveOp: what tasks await on a SharedChannel.
//
// Each refers to the end of the channel that made it until it has to wait; then
// it shares the channel's state, because frames of an executor that ends are
// destroyed in no particular order.

#ifndef RINGWAY_EXECUTOR_REMOTE_CHANNEL_OPERATIONS_H_
#define RINGWAY_EXECUTOR_REMOTE_CHANNEL_OPERATIONS_H_

#include <coroutine>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/utility/utility.h"
#include "ringway/core/check.h"
#include "ringway/executor/remote/channel_state.h"
#include "ringway/executor/task/task_context.h"

namespace ringway::internal {

absl::Status StatusOf(SendOutcome outcome);

template <typename T>
class [[nodiscard]] SendOp : private Suspension {
 public:
  SendOp(const std::shared_ptr<ChannelState<T>>& state, T& value)
      : Suspension(&OnCancel, "a SharedChannel"),
        state_(state),
        sender_(value) {}
  ~SendOp() {
    if (waiting_on_ == nullptr) return;
    // Its frame is destroyed where it waits.
    waiting_on_->Cancel(sender_);
    sender_.parked->Forget();
  }

  bool await_ready() const noexcept { return false; }
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    if (task.cancelled()) {
      sender_.outcome = SendOutcome::kCancelled;
      return task.SkipWait(leaf);
    }
    if (!state_->SendOrPark(sender_, task)) return task.SkipWait(leaf);
    // Woken by a message to this thread, so not before this has returned.
    waiting_on_ = state_;
    task.Park(leaf, *this);
    return true;
  }
  absl::Status await_resume() {
    waiting_on_ = nullptr;
    return StatusOf(sender_.outcome);
  }

 private:
  static void OnCancel(Suspension& suspension) {
    SendOp& self = static_cast<SendOp&>(suspension);
    if (self.waiting_on_->Cancel(self.sender_))
      ParkedTask::Wake(self.sender_.parked);
  }

  const std::shared_ptr<ChannelState<T>>& state_;
  WaitingSender<T> sender_;
  std::shared_ptr<ChannelState<T>> waiting_on_;  // while it waits
};

template <typename T>
class [[nodiscard]] ReceiveOp : private Suspension {
 public:
  explicit ReceiveOp(const std::shared_ptr<ChannelState<T>>& state)
      : Suspension(&OnCancel, "a SharedChannel"), state_(state) {}
  ~ReceiveOp() {
    if (waiting_on_ == nullptr) return;
    // Its frame is destroyed where it waits.
    waiting_on_->CancelReceive(parked_);
    parked_->Forget();
  }

  bool await_ready() const noexcept { return false; }
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    cancelled_ = task.cancelled();
    if (cancelled_) return task.SkipWait(leaf);
    parked_ = state_->ReceiveOrPark(value_, task);
    if (parked_ == nullptr) return task.SkipWait(leaf);
    // Woken by a message to this thread, so not before this has returned.
    waiting_on_ = state_;
    task.Park(leaf, *this);
    return true;
  }
  absl::StatusOr<T> await_resume() {
    const std::shared_ptr<ChannelState<T>> waited = std::move(waiting_on_);
    if (cancelled_) return absl::Status(absl::StatusCode::kCancelled, "");
    if (waited != nullptr) {
      const bool closed = waited->TryReceive(value_);
      RINGWAY_CHECK(value_.has_value() || closed,
                    "two tasks receive from one channel");
    }
    if (!value_.has_value())
      return absl::Status(absl::StatusCode::kUnavailable, "");
    return absl::StatusOr<T>(absl::in_place, *std::move(value_));
  }

 private:
  static void OnCancel(Suspension& suspension) {
    ReceiveOp& self = static_cast<ReceiveOp&>(suspension);
    if (!self.waiting_on_->CancelReceive(self.parked_)) return;  // it is woken
    self.cancelled_ = true;
    ParkedTask::Wake(self.parked_);
  }

  const std::shared_ptr<ChannelState<T>>& state_;
  std::optional<T> value_;
  std::shared_ptr<ParkedTask> parked_;
  std::shared_ptr<ChannelState<T>> waiting_on_;  // while it waits
  bool cancelled_ = false;
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_REMOTE_CHANNEL_OPERATIONS_H_
