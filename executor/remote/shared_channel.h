// SPDX-License-Identifier: Apache-2.0
//
// SharedChannel: values from many threads to one task.
//
//   auto [sender, receiver] = ringway::MakeSharedChannel<Job>(/*capacity=*/64);
//   // Any number of tasks on any workers, each with a copy of the sender:
//   absl::Status sent = co_await sender.Send(std::move(job));
//   ...
//   // One task, on whichever worker the receiver was moved to:
//   while (true) {
//     absl::StatusOr<Job> job = co_await receiver.Receive();
//     if (!job.ok()) break;  // the end, or cancelled
//     ...
//   }
//
// Values of one task or thread arrive in the order they were sent. Senders of
// a full channel wait, in FIFO order. The receiver is woken only if it waits,
// once for any number of values. Within one worker a local Channel is
// cheaper.

#ifndef RINGWAY_EXECUTOR_REMOTE_SHARED_CHANNEL_H_
#define RINGWAY_EXECUTOR_REMOTE_SHARED_CHANNEL_H_

#include <coroutine>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/utility/utility.h"
#include "ringway/core/check.h"
#include "ringway/executor/remote/channel_operations.h"
#include "ringway/executor/remote/channel_state.h"

namespace ringway {

// The sending end. When its last copy is destroyed, the receiver gets the
// remaining values and then Unavailable.
//
// Threads: one at a time for each copy; only tasks can Send().
template <typename T>
class SharedSender {
 public:
  explicit SharedSender(std::shared_ptr<internal::ChannelState<T>> state)
      : state_(std::move(state)) {
    state_->AddSender();
  }
  SharedSender(const SharedSender& other) : SharedSender(other.state()) {}
  SharedSender(SharedSender&&) = default;
  SharedSender& operator=(SharedSender other) noexcept {
    state_.swap(other.state_);
    return *this;
  }
  ~SharedSender() {
    if (state_ != nullptr) state_->RemoveSender();
  }

  // Waits until there is room and moves `value` into the channel.
  //
  // Errors:       Unavailable if the receiver was dropped or the channel was
  //               closed. Cancelled. FailedPrecondition in a forked child.
  //               After an error `value` is unchanged.
  // Ownership:    `value` must outlive the await.
  // Cancellation: ends the wait; a value that has been taken is sent.
  // Cost:         no allocation but, when it has to wait, from the frame pool.
  internal::SendOp<T> Send(T&& value) {
    return internal::SendOp<T>(state(), value);
  }

  // Sends without waiting; ResourceExhausted if there is no room.
  //
  // Threads: any, also those without an executor.
  absl::Status TrySend(T&& value) {
    return internal::StatusOf(state()->TrySend(value));
  }

  // Closes the channel for all senders. The values in it can still be
  // received.
  void Close() { state()->Close(); }

  // True if Send() would return Unavailable.
  bool closed() const { return state()->closed(); }

 private:
  const std::shared_ptr<internal::ChannelState<T>>& state() const {
    RINGWAY_CHECK(state_ != nullptr,
                  "a SharedSender was used after it was moved from");
    return state_;
  }

  std::shared_ptr<internal::ChannelState<T>> state_;  // null once moved from
};

// The receiving end. Destroying it destroys the values in the channel, and
// sending fails.
//
// Threads: one at a time, not always the same; only tasks can Receive().
template <typename T>
class SharedReceiver {
 public:
  explicit SharedReceiver(std::shared_ptr<internal::ChannelState<T>> state)
      : state_(std::move(state)) {}
  SharedReceiver(SharedReceiver&&) = default;
  SharedReceiver& operator=(SharedReceiver other) noexcept {
    state_.swap(other.state_);
    return *this;
  }
  ~SharedReceiver() {
    if (state_ != nullptr) state_->RemoveReceiver();
  }

  // Waits for the next value. One task at a time (checked).
  //
  // Errors:       Unavailable if the channel is empty and was closed or has
  //               no sender, and in a forked child. Cancelled; no value is
  //               lost.
  // Cancellation: ends the wait.
  // Cost:         no allocation but, when it has to wait, from the frame pool.
  internal::ReceiveOp<T> Receive() { return internal::ReceiveOp<T>(state()); }

  // Receives without waiting; NotFound if there is no value.
  //
  // Threads: any, also those without an executor.
  absl::StatusOr<T> TryReceive() {
    std::optional<T> value;
    const bool closed = state()->TryReceive(value);
    if (value.has_value())
      return absl::StatusOr<T>(std::in_place, *std::move(value));
    return absl::Status(
        closed ? absl::StatusCode::kUnavailable : absl::StatusCode::kNotFound,
        "");
  }

  // Refuses later values. Those in the channel can still be received.
  void Close() { state()->Close(); }

 private:
  const std::shared_ptr<internal::ChannelState<T>>& state() const {
    RINGWAY_CHECK(state_ != nullptr,
                  "a SharedReceiver was used after it was moved from");
    return state_;
  }

  std::shared_ptr<internal::ChannelState<T>> state_;  // null once moved from
};

// The two ends, for structured bindings.
template <typename T>
struct SharedChannel {
  explicit SharedChannel(
      const std::shared_ptr<internal::ChannelState<T>>& state)
      : sender(state), receiver(state) {}
  SharedSender<T> sender;
  SharedReceiver<T> receiver;
};

// Makes a channel that holds up to `capacity` values, at least 1 (checked).
// The move constructor of `T` must not throw; it is called under a lock.
//
// Cost: all allocation happens here.
template <typename T>
SharedChannel<T> MakeSharedChannel(size_t capacity = 256) {
  auto state = std::make_shared<internal::ChannelState<T>>(capacity);
  state->Reserve();
  return SharedChannel<T>(state);
}

// Makes a channel without a limit, for senders that must not wait and send a
// bounded number of values. Its storage doubles as needed and does not
// shrink.
template <typename T>
SharedChannel<T> MakeUnboundedSharedChannel() {
  return SharedChannel<T>(std::make_shared<internal::ChannelState<T>>(
      std::numeric_limits<size_t>::max()));
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_REMOTE_SHARED_CHANNEL_H_
