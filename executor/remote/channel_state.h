// SPDX-License-Identifier: Apache-2.0
//
// ChannelState: the state shared by the ends of a SharedChannel.
//
// Plain data under one lock: room, waiting tasks and the closed state are
// read and changed together, so decisions about them cannot race. The lock is
// held for about ten instructions, and not while a task is woken. A sender
// waits only while there is no room: taking a value out moves the first
// waiting sender's value in, which keeps FIFO order.

#ifndef RINGWAY_EXECUTOR_REMOTE_CHANNEL_STATE_H_
#define RINGWAY_EXECUTOR_REMOTE_CHANNEL_STATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "ringway/core/check.h"
#include "ringway/core/containers/circular_queue.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/remote/parked_task.h"
#include "ringway/executor/remote/pooled.h"

namespace ringway::internal {

// The outcome for a value. Except for kSent the value is unchanged.
enum class SendOutcome : uint8_t {
  kSent,
  kFull,     // there is no room
  kRefused,  // the channel is closed
  kForked    // the channel belongs to the parent process
};

// A sending task's entry, in its frame. Guarded by the channel's lock while
// linked; otherwise the task's own.
template <typename T>
struct WaitingSender : ListNode {
  explicit WaitingSender(T& v) : value(v) {}

  T& value;
  SendOutcome outcome = SendOutcome::kFull;
  std::shared_ptr<ParkedTask> parked;  // once it has had to wait
};

template <typename T>
class ChannelState {
 public:
  explicit ChannelState(size_t capacity) : capacity_(capacity) {
    RINGWAY_CHECK(capacity > 0, "the capacity of a channel is at least 1");
  }

  // Allocates the memory for `capacity` values now.
  void Reserve() { values_.Reserve(capacity_); }

  void AddSender() {
    std::lock_guard<std::mutex> lock(mutex_);
    ++n_senders_;
  }
  void RemoveSender() {
    if (owner_.forked()) return;
    std::lock_guard<std::mutex> lock(mutex_);
    if (--n_senders_ == 0) CloseLocked();
  }

  SendOutcome TrySend(T& value) {
    if (owner_.forked()) return SendOutcome::kForked;
    WakeAtTheEnd wake;
    std::lock_guard<std::mutex> lock(mutex_);
    return Push(value, wake);
  }

  // As TrySend(), but queues `sender` if there is no room and returns true:
  // `task` will be woken.
  bool SendOrPark(WaitingSender<T>& sender, TaskContext& task) {
    if (owner_.forked()) {
      sender.outcome = SendOutcome::kForked;
      return false;
    }
    WakeAtTheEnd wake;
    std::lock_guard<std::mutex> lock(mutex_);
    sender.outcome = Push(sender.value, wake);
    if (sender.outcome != SendOutcome::kFull) return false;
    sender.parked = MakePooled<ParkedTask>(task);
    senders_.PushBack(sender);
    return true;
  }

  // Removes `sender` from the queue; false if it was not waiting.
  bool Cancel(WaitingSender<T>& sender) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!sender.linked()) return false;
    sender.Unlink();
    return true;
  }

  // Leaves `value` empty if there is none yet. Returns true if the channel is
  // closed.
  bool TryReceive(std::optional<T>& value) {
    if (owner_.forked()) return true;
    WakeAtTheEnd wake;
    std::lock_guard<std::mutex> lock(mutex_);
    Pop(value, wake);
    return closed_;
  }

  // As TryReceive(), but if the channel is empty and open, returns the wait
  // of `task`, which will be woken.
  std::shared_ptr<ParkedTask> ReceiveOrPark(std::optional<T>& value,
                                            TaskContext& task) {
    if (owner_.forked()) return nullptr;
    WakeAtTheEnd wake;
    std::lock_guard<std::mutex> lock(mutex_);
    Pop(value, wake);
    if (value.has_value() || closed_) return nullptr;
    RINGWAY_CHECK(receiver_ == nullptr, "two tasks receive from one channel");
    receiver_ = MakePooled<ParkedTask>(task);
    return receiver_;
  }

  // Ends the wait `receiver`; false if it was woken already.
  bool CancelReceive(const std::shared_ptr<ParkedTask>& receiver) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (receiver_ != receiver) return false;
    receiver_.reset();
    return true;
  }

  // Refuses all further values; those in the channel can still be received.
  void Close() {
    if (owner_.forked()) return;
    std::lock_guard<std::mutex> lock(mutex_);
    CloseLocked();
  }

  // Closes the channel and destroys its values.
  void RemoveReceiver() {
    if (owner_.forked()) return;
    // Destroyed after the lock: a destructor may be slow.
    CircularQueue<T> dropped;
    std::lock_guard<std::mutex> lock(mutex_);
    CloseLocked();
    values_.Swap(dropped);
  }

  bool closed() const {
    if (owner_.forked()) return true;
    std::lock_guard<std::mutex> lock(mutex_);
    return closed_;
  }

 private:
  // Declared before the lock, so that it runs after the unlock.
  struct WakeAtTheEnd {
    ~WakeAtTheEnd() { ParkedTask::Wake(std::move(task)); }
    std::shared_ptr<ParkedTask> task;
  };

  SendOutcome Push(T& value, WakeAtTheEnd& wake) {
    if (closed_) return SendOutcome::kRefused;
    if (values_.size() == capacity_) return SendOutcome::kFull;
    values_.PushBack(std::move(value));
    wake.task = std::move(receiver_);
    return SendOutcome::kSent;
  }

  void Pop(std::optional<T>& value, WakeAtTheEnd& wake) {
    if (values_.empty()) return;
    value.emplace(values_.PopFront());
    if (WaitingSender<T>* sender = senders_.PopFront()) {
      values_.PushBack(std::move(sender->value));
      sender->outcome = SendOutcome::kSent;
      wake.task = sender->parked;
    }
  }

  void CloseLocked() {
    closed_ = true;
    while (WaitingSender<T>* sender = senders_.PopFront()) {
      sender->outcome = SendOutcome::kRefused;
      ParkedTask::Wake(sender->parked);
    }
    ParkedTask::Wake(std::move(receiver_));
  }

  // A forked child has copies of its parent's values and of a lock that may
  // stay held forever; there the channel counts as closed.
  const OwnerProcess owner_;
  mutable std::mutex mutex_;
  const size_t capacity_;
  CircularQueue<T> values_;
  IntrusiveList<WaitingSender<T>> senders_;  // only while there is no room
  std::shared_ptr<ParkedTask> receiver_;     // only while there is no value
  size_t n_senders_ = 0;
  bool closed_ = false;
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_REMOTE_CHANNEL_STATE_H_
