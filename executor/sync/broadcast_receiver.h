// SPDX-License-Identifier: Apache-2.0
//
// BroadcastReceiver<T>: one receiver of a Broadcast<T>. Include broadcast.h.

#ifndef RINGWAY_EXECUTOR_SYNC_BROADCAST_RECEIVER_H_
#define RINGWAY_EXECUTOR_SYNC_BROADCAST_RECEIVER_H_

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/task/wait.h"

namespace ringway {

template <typename T>
class Broadcast;

// What happens to a receiver that has most to catch up with when the Broadcast
// is full.
enum class LagPolicy : uint8_t {
  kBlockSender,  // the sender waits; no value is missed
  kDropOldest,   // drops the oldest value and counts it for the receiver
  kDisconnect,   // ends the receiver with ResourceExhausted
};

// Made by Broadcast::Subscribe(). Must not be moved or dropped while a task
// awaits it (checked). It may outlive its Broadcast; then it gets
// Unavailable, and values it had not received are lost.
//
// Threads: the Broadcast's only (checked), while that exists.
template <typename T>
class BroadcastReceiver : private ListNode {
 public:
  class [[nodiscard]] ReceiveOp : public internal::QueuedWait<ReceiveOp> {
   public:
    explicit ReceiveOp(BroadcastReceiver& receiver) : receiver_(receiver) {}
    absl::StatusOr<T> await_resume() {
      if (!this->served()) return this->status();
      return receiver_.TryReceive();
    }

   private:
    friend class internal::Wait<ReceiveOp>;
    friend class internal::QueuedWait<ReceiveOp>;
    friend class internal::WaitLine<ReceiveOp>;
    static constexpr char kOwner[] = "a BroadcastReceiver";

    internal::WaitEnd Begin() {
      if (receiver_.ready()) return internal::WaitEnd::kServed;
      RINGWAY_CHECK(receiver_.waiters_.empty(),
                    "two tasks await the same BroadcastReceiver");
      receiver_.waiters_.Join(*this);
      return internal::WaitEnd::kWaiting;
    }
    OwnerThread& owner() { return receiver_.owner(); }

    BroadcastReceiver& receiver_;
  };

  // Without a Broadcast: receives nothing.
  BroadcastReceiver() = default;
  BroadcastReceiver(BroadcastReceiver&& other) noexcept { TakeOver(other); }
  BroadcastReceiver& operator=(BroadcastReceiver&& other) noexcept {
    if (this != &other) {
      Unsubscribe();
      TakeOver(other);
    }
    return *this;
  }
  ~BroadcastReceiver() { Unsubscribe(); }

  // Waits for the next value. One task at a time (checked).
  //
  // Errors:       Unavailable once all values were received and the Broadcast
  //               was closed, or the Broadcast was destroyed.
  //               ResourceExhausted once it was disconnected
  //               (LagPolicy::kDisconnect). Cancelled.
  // Ownership:    the receiver must exist until the task has continued.
  // Cancellation: loses nothing. A task that is cancelled after a value
  //               arrived gets it.
  // Cost:         no allocation except for copying a T; the last receiver of
  //               a value moves it.
  ReceiveOp Receive() { return ReceiveOp(*this); }

  // Receives without waiting; NotFound if Receive() would wait.
  absl::StatusOr<T> TryReceive();

  // The number of values dropped before the last one received, since the last
  // call (LagPolicy::kDropOldest).
  uint64_t TakeMissed() {
    CheckThread();
    return std::exchange(missed_, 0);
  }

  // True if Receive() would not wait.
  bool ready() const;

 private:
  friend class Broadcast<T>;
  friend class IntrusiveList<BroadcastReceiver>;

  BroadcastReceiver(Broadcast<T>& broadcast, LagPolicy policy);

  void CheckThread() const;
  OwnerThread& owner();
  bool awaited() const { return !waiters_.empty(); }
  void CheckNotAwaited() const {
    if (awaited()) [[unlikely]] {
      CheckThread();
    }
    RINGWAY_CHECK(!awaited(),
                  "a BroadcastReceiver was moved or dropped while a task "
                  "awaits it");
  }
  void Unsubscribe();
  void TakeOver(BroadcastReceiver& other);
  void EndWait() { waiters_.CompleteAll(internal::WaitEnd::kServed); }

  Broadcast<T>* broadcast_ = nullptr;  // null once ended
  uint64_t next_ = 0;                  // the position of its next value
  uint64_t missed_ = 0;
  LagPolicy policy_ = LagPolicy::kBlockSender;
  bool disconnected_ = false;
  OwnerThread owner_ = OwnerThread::Unbound();  // used without a broadcast
  internal::WaitLine<ReceiveOp> waiters_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_SYNC_BROADCAST_RECEIVER_H_
