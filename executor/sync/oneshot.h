// SPDX-License-Identifier: Apache-2.0
//
// Oneshot<T>: one value from one task of a worker to another, such as the
// reply to a request that was sent through a channel.
//
// It has two movable ends that refer to each other, so nothing is allocated,
// and each end detects that the other was dropped.
//
//   Oneshot<Answer> oneshot;
//   Request request(std::move(oneshot.sender));
//   ...
//   absl::StatusOr<Answer> answer = co_await oneshot.receiver.Receive();

#ifndef RINGWAY_EXECUTOR_SYNC_ONESHOT_H_
#define RINGWAY_EXECUTOR_SYNC_ONESHOT_H_

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/utility/utility.h"
#include "ringway/core/check.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/sync/sent_value.h"
#include "ringway/executor/task/wait.h"

namespace ringway {

template <typename T>
struct Oneshot;
template <typename T>
class OneshotReceiver;

// The sending end. Dropping it ends the receiver's wait with Unavailable;
// note that a task's parameters live as long as its frame, which a JoinHandle
// keeps. Must not be moved or dropped while a task awaits Closed() (checked).
template <typename T>
class OneshotSender {
 public:
  class [[nodiscard]] ClosedOp : public internal::QueuedWait<ClosedOp> {
   public:
    explicit ClosedOp(OneshotSender& sender) : sender_(sender) {}
    absl::Status await_resume() const { return this->status(); }

   private:
    friend class internal::Wait<ClosedOp>;
    friend class internal::QueuedWait<ClosedOp>;
    friend class internal::WaitLine<ClosedOp>;
    static constexpr char kOwner[] = "a OneshotSender";

    internal::WaitEnd Begin() {
      if (sender_.closed()) return internal::WaitEnd::kServed;
      sender_.waiters_.Join(*this);
      return internal::WaitEnd::kWaiting;
    }
    OwnerThread& owner() { return sender_.owner_; }

    OneshotSender& sender_;
  };

  // Without a receiver: closed.
  OneshotSender() = default;
  OneshotSender(OneshotSender&& other) noexcept { TakeOver(other); }
  OneshotSender& operator=(OneshotSender&& other) noexcept {
    if (this != &other) {
      CheckNotAwaited();
      Disconnect();
      TakeOver(other);
    }
    return *this;
  }
  ~OneshotSender() {
    CheckNotAwaited();
    Disconnect();
  }

  // Sends the value. Never waits; afterwards this end is closed.
  //
  // Errors:    Unavailable if closed().
  // Ownership: moves from `value` unless there is an error.
  absl::Status Send(internal::SentValue<T> value);

  // True if there is no receiver: it was dropped, has been sent its value, or
  // never existed.
  bool closed() const {
    CheckThread();
    return receiver_ == nullptr;
  }

  // Waits until closed(): for a task that can stop when its result is no
  // longer needed.
  //
  // Errors:       Cancelled.
  // Cancellation: ends the wait.
  // Cost:         no allocation.
  ClosedOp Closed() { return ClosedOp(*this); }

 private:
  friend struct Oneshot<T>;
  friend class OneshotReceiver<T>;

  // Checks both ends, because each changes the other.
  void CheckThread() const;
  void CheckNotAwaited() const {
    if (!waiters_.empty()) [[unlikely]] {
      CheckThread();
    }
    RINGWAY_CHECK(waiters_.empty(),
                  "a OneshotSender was moved or dropped while a task awaits "
                  "its Closed()");
  }
  void TakeOver(OneshotSender& other);
  void Disconnect();
  // The receiver was dropped or has its value.
  void OnReceiverGone() {
    receiver_ = nullptr;
    waiters_.CompleteAll(internal::WaitEnd::kServed);
  }

  OneshotReceiver<T>* receiver_ = nullptr;
  OwnerThread owner_ = OwnerThread::Unbound();
  internal::WaitLine<ClosedOp> waiters_;
};

// The receiving end. Dropping it, with its value if that has arrived, closes
// the sender. Must not be moved or dropped while a task awaits Receive()
// (checked).
template <typename T>
class OneshotReceiver {
 public:
  class [[nodiscard]] ReceiveOp : public internal::QueuedWait<ReceiveOp> {
   public:
    explicit ReceiveOp(OneshotReceiver& receiver) : receiver_(receiver) {}
    absl::StatusOr<T> await_resume() {
      if (!this->served()) return this->status();
      return receiver_.TryReceive();
    }

   private:
    friend class internal::Wait<ReceiveOp>;
    friend class internal::QueuedWait<ReceiveOp>;
    friend class internal::WaitLine<ReceiveOp>;
    static constexpr char kOwner[] = "a OneshotReceiver";

    internal::WaitEnd Begin() {
      if (receiver_.ready()) return internal::WaitEnd::kServed;
      RINGWAY_CHECK(receiver_.waiters_.empty(),
                    "two tasks await the same OneshotReceiver");
      receiver_.waiters_.Join(*this);
      return internal::WaitEnd::kWaiting;
    }
    OwnerThread& owner() { return receiver_.owner_; }

    OneshotReceiver& receiver_;
  };

  // Without a sender: receives nothing.
  OneshotReceiver() = default;
  OneshotReceiver(OneshotReceiver&& other) noexcept { TakeOver(other); }
  OneshotReceiver& operator=(OneshotReceiver&& other) noexcept {
    if (this != &other) {
      CheckNotAwaited();
      Disconnect();
      TakeOver(other);
    }
    return *this;
  }
  ~OneshotReceiver() {
    CheckNotAwaited();
    Disconnect();
  }

  // Waits for the value. One task at a time (checked).
  //
  // Errors:       Unavailable if the sender was dropped without sending, and
  //               once the value has been received. Cancelled.
  // Ownership:    this end must exist until the task has continued.
  // Cancellation: loses nothing: the value can be received later. A task that
  //               is cancelled after the value arrived gets it.
  // Cost:         no allocation.
  ReceiveOp Receive() { return ReceiveOp(*this); }

  // Receives without waiting; NotFound if Receive() would wait.
  absl::StatusOr<T> TryReceive() {
    CheckThread();
    if (std::optional<T> value = std::exchange(value_, std::nullopt)) {
      return absl::StatusOr<T>(std::in_place, *std::move(value));
    }
    return absl::Status(
        ready() ? absl::StatusCode::kUnavailable : absl::StatusCode::kNotFound,
        "");
  }

  // True if Receive() would not wait.
  bool ready() const {
    CheckThread();
    return sender_ == nullptr || value_.has_value();
  }

 private:
  friend struct Oneshot<T>;
  friend class OneshotSender<T>;

  void CheckThread() const {
    owner_.CheckOrGone("a OneshotReceiver");
    if (sender_ != nullptr) sender_->owner_.CheckOrGone("a OneshotSender");
  }
  void CheckNotAwaited() const {
    if (!waiters_.empty()) [[unlikely]] {
      CheckThread();
    }
    RINGWAY_CHECK(waiters_.empty(),
                  "a OneshotReceiver was moved or dropped while a task awaits "
                  "it");
  }
  void TakeOver(OneshotReceiver& other);
  void Disconnect() {
    if (sender_ == nullptr) return;
    CheckThread();
    std::exchange(sender_, nullptr)->OnReceiverGone();
  }
  // The sender was dropped or has stored its value here.
  void OnSenderGone() {
    sender_ = nullptr;
    waiters_.CompleteAll(internal::WaitEnd::kServed);
  }

  OneshotSender<T>* sender_ = nullptr;  // null once the value is here
  OwnerThread owner_ = OwnerThread::Unbound();
  std::optional<T> value_;
  internal::WaitLine<ReceiveOp> waiters_;
};

// The two ends, connected.
template <typename T>
struct Oneshot {
  Oneshot() {
    sender.receiver_ = &receiver;
    receiver.sender_ = &sender;
  }
  Oneshot(Oneshot&&) noexcept = default;
  Oneshot& operator=(Oneshot&&) noexcept = default;

  OneshotSender<T> sender;
  OneshotReceiver<T> receiver;
};

template <typename T>
absl::Status OneshotSender<T>::Send(internal::SentValue<T> value) {
  if (closed()) return absl::Status(absl::StatusCode::kUnavailable, "");
  receiver_->value_.emplace(std::move(value));
  Disconnect();
  return absl::OkStatus();
}

template <typename T>
void OneshotSender<T>::CheckThread() const {
  owner_.CheckOrGone("a OneshotSender");
  if (receiver_ != nullptr) receiver_->owner_.CheckOrGone("a OneshotReceiver");
}

template <typename T>
void OneshotSender<T>::Disconnect() {
  if (receiver_ == nullptr) return;
  CheckThread();
  receiver_->OnSenderGone();
  OnReceiverGone();
}

template <typename T>
void OneshotSender<T>::TakeOver(OneshotSender& other) {
  other.CheckNotAwaited();
  receiver_ = std::exchange(other.receiver_, nullptr);
  if (receiver_ != nullptr) receiver_->sender_ = this;
}

template <typename T>
void OneshotReceiver<T>::TakeOver(OneshotReceiver& other) {
  other.CheckNotAwaited();
  value_ = std::exchange(other.value_, std::nullopt);
  sender_ = std::exchange(other.sender_, nullptr);
  if (sender_ != nullptr) sender_->receiver_ = this;
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_SYNC_ONESHOT_H_
