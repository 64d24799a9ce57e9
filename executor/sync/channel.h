// SPDX-License-Identifier: Apache-2.0
//
// Channel<T>: a FIFO queue of values between any number of sending and
// receiving tasks of one worker; each value goes to one receiver.
//
// Bounded, so that fast senders wait; with a capacity of 0 each Send() waits
// for a receiver (a rendezvous). Unbounded only on request.
//
//   Channel<Job> jobs(/*capacity=*/64);
//   absl::Status sent = co_await jobs.Send(std::move(job));
//   ...
//   while (true) {
//     absl::StatusOr<Job> job = co_await jobs.Receive();
//     if (!job.ok()) break;            // closed and empty, or cancelled
//     ...
//   }

#ifndef RINGWAY_EXECUTOR_SYNC_CHANNEL_H_
#define RINGWAY_EXECUTOR_SYNC_CHANNEL_H_

#include <cstddef>
#include <limits>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/utility/utility.h"
#include "ringway/core/containers/circular_queue.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/sync/sent_value.h"
#include "ringway/executor/task/wait.h"

namespace ringway {

// For one worker. No task may wait when it is destroyed (checked); Close()
// ends their waits. `T` needs a move constructor that does not throw.
template <typename T>
class Channel {
 public:
  class [[nodiscard]] SendOp : public internal::QueuedWait<SendOp> {
   public:
    SendOp(Channel& channel, internal::SentObject<T>& value)
        : channel_(channel), value_(value) {}
    absl::Status await_resume() const { return this->status(); }

   private:
    friend class Channel;
    friend class internal::Wait<SendOp>;
    friend class internal::QueuedWait<SendOp>;
    friend class internal::WaitLine<SendOp>;
    static constexpr char kOwner[] = "a Channel";

    internal::WaitEnd Begin() {
      if (channel_.closed_) return internal::WaitEnd::kClosed;
      if (channel_.Accept(value_)) return internal::WaitEnd::kServed;
      channel_.senders_.Join(*this);
      return internal::WaitEnd::kWaiting;
    }
    OwnerThread& owner() { return channel_.owner_; }

    Channel& channel_;
    internal::SentObject<T>& value_;  // the sender's until it is accepted
  };

  class [[nodiscard]] ReceiveOp : public internal::QueuedWait<ReceiveOp> {
   public:
    explicit ReceiveOp(Channel& channel) : channel_(channel) {}
    absl::StatusOr<T> await_resume() {
      if (!this->served()) return this->status();
      return absl::StatusOr<T>(std::in_place, *std::move(value_));
    }

   private:
    friend class Channel;
    friend class internal::Wait<ReceiveOp>;
    friend class internal::QueuedWait<ReceiveOp>;
    friend class internal::WaitLine<ReceiveOp>;
    static constexpr char kOwner[] = "a Channel";

    internal::WaitEnd Begin() {
      if (channel_.Hand(value_)) return internal::WaitEnd::kServed;
      if (channel_.closed_) return internal::WaitEnd::kClosed;
      channel_.receivers_.Join(*this);
      return internal::WaitEnd::kWaiting;
    }
    OwnerThread& owner() { return channel_.owner_; }

    Channel& channel_;
    std::optional<T> value_;
  };

  // Holds at most `capacity` values that have not been received.
  explicit Channel(size_t capacity) : capacity_(capacity) {}

  // A channel whose senders never wait, for when something else bounds the
  // number of values.
  static Channel Unbounded() {
    return Channel(std::numeric_limits<size_t>::max());
  }

  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Waits, in call order, until `value` is in the channel or with a receiver.
  //
  // Errors:       Unavailable if it is closed, also during the wait.
  //               Cancelled.
  // Ownership:    `value` must outlive the await. It is moved from when it is
  //               accepted; after an error it is unchanged.
  // Cancellation: nothing was sent. A task that is cancelled after its value
  //               was accepted has sent it: OK.
  // Cost:         no allocation once the channel has been as full before.
  SendOp Send(internal::SentValue<T> value) { return SendOp(*this, value); }

  // Sends without waiting; ResourceExhausted if Send() would wait.
  absl::Status TrySend(internal::SentValue<T> value) {
    CheckThread();
    if (closed_) return absl::Status(absl::StatusCode::kUnavailable, "");
    if (Accept(value)) return absl::OkStatus();
    return absl::Status(absl::StatusCode::kResourceExhausted, "");
  }

  // Waits for a value, in call order.
  //
  // Errors:       Unavailable once closed and empty. Cancelled.
  // Cancellation: nothing was received. A task that is cancelled after a value
  //               was handed to it has received it: OK.
  // Cost:         no allocation.
  ReceiveOp Receive() { return ReceiveOp(*this); }

  // Receives without waiting; NotFound if Receive() would wait.
  absl::StatusOr<T> TryReceive() {
    CheckThread();
    std::optional<T> value;
    if (Hand(value)) {
      return absl::StatusOr<T>(std::in_place, *std::move(value));
    }
    return absl::Status(
        closed_ ? absl::StatusCode::kUnavailable : absl::StatusCode::kNotFound,
        "");
  }

  // Closes it: senders, waiting ones included, get Unavailable. The values in
  // the channel can still be received; then receivers get Unavailable, the
  // waiting ones at once.
  void Close() {
    CheckThread();
    closed_ = true;
    senders_.CompleteAll(internal::WaitEnd::kClosed);
    receivers_.CompleteAll(internal::WaitEnd::kClosed);
  }

  bool closed() const {
    CheckThread();
    return closed_;
  }
  size_t capacity() const { return capacity_; }
  // Values in the channel.
  size_t size() const {
    CheckThread();
    return values_.size();
  }

 private:
  void CheckThread() const { owner_.CheckOrGone("a Channel"); }

  // Takes `value` if there is a receiver or room for it. Keeps FIFO order:
  // senders wait only while there is neither.
  bool Accept(internal::SentObject<T>& value) {
    if (ReceiveOp* receiver = receivers_.front()) {
      receiver->value_.emplace(std::move(value));
      receivers_.CompleteFront(internal::WaitEnd::kServed);
      return true;
    }
    if (values_.size() >= capacity_) return false;
    values_.PushBack(std::move(value));
    return true;
  }

  // Takes the oldest value, if there is one, and gives its room to the sender
  // that has waited longest. Keeps FIFO order: receivers wait only while
  // there is no value.
  bool Hand(std::optional<T>& value) {
    SendOp* sender = senders_.front();
    if (!values_.empty()) {
      value.emplace(values_.PopFront());
      if (sender == nullptr) return true;
      values_.PushBack(std::move(sender->value_));
    } else {
      if (sender == nullptr) return false;
      value.emplace(std::move(sender->value_));
    }
    senders_.CompleteFront(internal::WaitEnd::kServed);
    return true;
  }

  const size_t capacity_;
  bool closed_ = false;
  OwnerThread owner_ = OwnerThread::Unbound();
  internal::CircularQueue<T> values_;
  internal::WaitLine<SendOp> senders_;
  internal::WaitLine<ReceiveOp> receivers_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_SYNC_CHANNEL_H_
