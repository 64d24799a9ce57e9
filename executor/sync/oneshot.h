// SPDX-License-Identifier: Apache-2.0
//
// Oneshot<T>: one value from one task of a worker to another, such as the
// answer to a request that went through a channel.
//
// Two ends that can be moved to wherever they are used. They know each other,
// so there is nothing to allocate and nobody waits for an end that is gone.
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

// The end that gives the value. Dropping it tells the receiver that none will
// come; a parameter of a task goes with the task's frame, which a JoinHandle
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

  // Has no receiver: closed.
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

  // Gives the receiver its value. Never waits; afterwards this end is closed.
  //
  // Errors:    Unavailable if closed().
  // Ownership: moves from `value` unless there is an error.
  absl::Status Send(internal::SentValue<T> value);

  // True if there is nobody to send to: the receiver is gone, has been sent its
  // value, or was never there.
  bool closed() const {
    CheckThread();
    return receiver_ == nullptr;
  }

  // Waits until closed(): for a task that need not go on when nobody wants its
  // result.
  //
  // Errors:       Cancelled.
  // Cancellation: ends the wait.
  // Cost:         no allocation.
  ClosedOp Closed() { return ClosedOp(*this); }

 private:
  friend struct Oneshot<T>;
  friend class OneshotReceiver<T>;

  // Of both ends: each changes the other.
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
  // The receiver is gone, or needs this no more.
  void OnReceiverGone() {
    receiver_ = nullptr;
    waiters_.CompleteAll(internal::WaitEnd::kServed);
  }

  OneshotReceiver<T>* receiver_ = nullptr;
  OwnerThread owner_ = OwnerThread::Unbound();
  internal::WaitLine<ClosedOp> waiters_;
};

// The end that gets the value. Dropping it, with the value if that has come
// already, tells the sender. Must not be moved or dropped while a task awaits
// Receive() (checked).
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

  // Has no sender: gets nothing.
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
  // Errors:       Unavailable if the sender is gone without having sent, and
  //               once the value has been received. Cancelled.
  // Ownership:    this end stays until the task has continued.
  // Cancellation: loses nothing: the value can be received later. A task that
  //               is cancelled after the value came gets it.
  // Cost:         no allocation.
  ReceiveOp Receive() { return ReceiveOp(*this); }

  // The same if there is no need to wait; otherwise NotFound.
  absl::StatusOr<T> TryReceive() {
    CheckThread();
    if (std::optional<T> value = std::exchange(value_, std::nullopt)) {
      return absl::StatusOr<T>(absl::in_place, *std::move(value));
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
  // The sender is gone, or has put its value here.
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
