// SPDX-License-Identifier: Apache-2.0
//
// ChannelState: what the ends of a SharedChannel share.
//
// A lock and plain data: every decision - is there room, who waits, has it
// ended - is one look at all of it, so no two of them can race. The lock is
// held for some ten instructions and not while somebody is woken. A sender
// waits only while there is no room: whoever takes a value out moves that of
// the first waiting sender in, so nobody overtakes him.

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

// What became of a value; but for kSent it is still where it was.
enum class SendOutcome : uint8_t {
  kSent,
  kFull,     // there is no room
  kRefused,  // nothing is received any more
  kForked    // the channel is the parent process's
};

// A task that sends a value, in its frame. Changes under the channel's lock
// while linked; otherwise the task's.
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

  // Takes the memory for `capacity` values at once.
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

  // The same, but true if `sender` waits for room now: `task` will be woken.
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

  // True if `sender` still waited: it no longer does.
  bool Cancel(WaitingSender<T>& sender) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!sender.linked()) return false;
    sender.Unlink();
    return true;
  }

  // Leaves `value` empty when there is none (yet). Returns whether no more can
  // come.
  bool TryReceive(std::optional<T>& value) {
    if (owner_.forked()) return true;
    WakeAtTheEnd wake;
    std::lock_guard<std::mutex> lock(mutex_);
    Pop(value, wake);
    return closed_;
  }

  // The same; if there may be one later, returns what `task` waits with: it
  // will be woken.
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

  // True if `receiver` still waited: it no longer does.
  bool CancelReceive(const std::shared_ptr<ParkedTask>& receiver) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (receiver_ != receiver) return false;
    receiver_.reset();
    return true;
  }

  // Refuses all further values; what is inside can still be received.
  void Close() {
    if (owner_.forked()) return;
    std::lock_guard<std::mutex> lock(mutex_);
    CloseLocked();
  }

  // Close(); destroys what is inside.
  void RemoveReceiver() {
    if (owner_.forked()) return;
    CircularQueue<T>
        dropped;  // after the lock is gone: a destructor may do a lot
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
  // Declared before the lock, so that it comes to pass without it.
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

  // A child has its parent's values and a lock that may be held for ever: it
  // finds the channel closed.
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
