// SPDX-License-Identifier: Apache-2.0
//
// SendOp and ReceiveOp: the awaitables of a SharedChannel.
//
// Each refers to the channel end that made it until it must wait; then it
// shares the channel's state, because an executor's end destroys frames in no
// particular order.

#ifndef RINGWAY_EXECUTOR_REMOTE_CHANNEL_OPERATIONS_H_
#define RINGWAY_EXECUTOR_REMOTE_CHANNEL_OPERATIONS_H_

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/utility/utility.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/check.h"
#include "ringway/executor/remote/channel_state.h"
#include "ringway/executor/task/wait.h"

namespace ringway::internal {

absl::Status StatusOf(SendOutcome outcome);

// Woken by a message to its thread, so not before await_suspend() has returned.
template <typename T>
class [[nodiscard]] SendOp : public Wait<SendOp<T>> {
 public:
  SendOp(const std::shared_ptr<ChannelState<T>>& state, T& value)
      : Wait<SendOp>("a SharedChannel"), state_(state), sender_(value) {}
  ~SendOp() {
    if (waiting_on_ == nullptr) return;
    // The frame is destroyed while it waits.
    waiting_on_->Cancel(sender_);
    sender_.parked->Forget();
  }

  absl::Status await_resume() {
    waiting_on_ = nullptr;
    return this->cancelled() ? CancelledStatus() : StatusOf(sender_.outcome);
  }

 private:
  friend class Wait<SendOp>;

  WaitEnd Begin() {
    if (!state_->SendOrPark(sender_, this->task())) return WaitEnd::kServed;
    waiting_on_ = state_;
    return WaitEnd::kWaiting;
  }
  // False if the wake-up is on its way.
  bool Leave() {
    if (!waiting_on_->Cancel(sender_)) return false;
    sender_.parked->Forget();
    return true;
  }

  const std::shared_ptr<ChannelState<T>>& state_;
  WaitingSender<T> sender_;
  std::shared_ptr<ChannelState<T>> waiting_on_;  // while it waits
};

template <typename T>
class [[nodiscard]] ReceiveOp : public Wait<ReceiveOp<T>> {
 public:
  explicit ReceiveOp(const std::shared_ptr<ChannelState<T>>& state)
      : Wait<ReceiveOp>("a SharedChannel"), state_(state) {}
  ~ReceiveOp() {
    if (waiting_on_ == nullptr) return;
    // The frame is destroyed while it waits.
    waiting_on_->CancelReceive(parked_);
    parked_->Forget();
  }

  absl::StatusOr<T> await_resume() {
    const std::shared_ptr<ChannelState<T>> waited = std::move(waiting_on_);
    if (this->cancelled()) return CancelledStatus();
    if (waited != nullptr) {
      const bool closed = waited->TryReceive(value_);
      RINGWAY_CHECK(value_.has_value() || closed,
                    "two tasks receive from one channel");
    }
    if (!value_.has_value()) return internal::StatusOf(WaitEnd::kClosed);
    return absl::StatusOr<T>(std::in_place, *std::move(value_));
  }

 private:
  friend class Wait<ReceiveOp>;

  WaitEnd Begin() {
    parked_ = state_->ReceiveOrPark(value_, this->task());
    if (parked_ == nullptr) return WaitEnd::kServed;
    waiting_on_ = state_;
    return WaitEnd::kWaiting;
  }
  // False if the wake-up is on its way.
  bool Leave() {
    if (!waiting_on_->CancelReceive(parked_)) return false;
    parked_->Forget();
    return true;
  }

  const std::shared_ptr<ChannelState<T>>& state_;
  std::optional<T> value_;
  std::shared_ptr<ParkedTask> parked_;
  std::shared_ptr<ChannelState<T>> waiting_on_;  // while it waits
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_REMOTE_CHANNEL_OPERATIONS_H_
