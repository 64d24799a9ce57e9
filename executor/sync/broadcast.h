// SPDX-License-Identifier: Apache-2.0
//
// Broadcast<T>: each value to every receiver, among the tasks of one worker.
//
// One ring holds each value once, until every receiver has received it. The
// LagPolicy chosen by Subscribe() decides what happens when a receiver does
// not keep up. To pass each value to a single receiver, use a Channel.
//
//   Broadcast<Quote> quotes(/*capacity=*/64, LagPolicy::kDropOldest);
//   BroadcastReceiver<Quote> mine = quotes.Subscribe();
//   absl::Status sent = co_await quotes.Send(quote);
//   ...
//   absl::StatusOr<Quote> quote = co_await mine.Receive();
//   if (mine.TakeMissed() > 0) Resynchronise();

#ifndef RINGWAY_EXECUTOR_SYNC_BROADCAST_H_
#define RINGWAY_EXECUTOR_SYNC_BROADCAST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/sync/broadcast_receiver.h"
#include "ringway/executor/sync/sent_value.h"
#include "ringway/executor/task/wait.h"

namespace ringway {

// For one worker. No task may wait on it or on one of its receivers when it
// is destroyed (checked); Close() ends their waits. Receivers may outlive it
// and then get Unavailable. `T` must be copyable and its move constructor
// must not throw.
template <typename T>
class Broadcast {
 public:
  static constexpr size_t kMostCapacity = size_t{1} << 30;

  class [[nodiscard]] SendOp : public internal::QueuedWait<SendOp> {
   public:
    SendOp(Broadcast& broadcast, internal::SentObject<T>& value)
        : broadcast_(broadcast), value_(value) {}
    absl::Status await_resume() const { return this->status(); }

   private:
    friend class Broadcast;
    friend class internal::Wait<SendOp>;
    friend class internal::QueuedWait<SendOp>;
    friend class internal::WaitLine<SendOp>;
    static constexpr char kOwner[] = "a Broadcast";

    internal::WaitEnd Begin() {
      if (broadcast_.closed_) return internal::WaitEnd::kClosed;
      if (broadcast_.Accept(value_)) return internal::WaitEnd::kServed;
      broadcast_.senders_.Join(*this);
      return internal::WaitEnd::kWaiting;
    }
    OwnerThread& owner() { return broadcast_.owner_; }

    Broadcast& broadcast_;
    internal::SentObject<T>& value_;  // the sender's until it is accepted
  };

  // Holds up to `capacity` values, 1 to kMostCapacity (checked), that some
  // receiver has not received. Allocates room for them here, and nothing
  // later. `policy` is for receivers that subscribe without one.
  explicit Broadcast(size_t capacity,
                     LagPolicy policy = LagPolicy::kBlockSender)
      : capacity_(CheckCapacity(capacity)),
        policy_(policy),
        slots_(std::make_unique<Slot[]>(capacity)) {}
  Broadcast(const Broadcast&) = delete;
  Broadcast& operator=(const Broadcast&) = delete;
  ~Broadcast();

  // Makes a receiver of the values sent from now on. There may be any number
  // of them; each adds a list operation, and no allocation, to a send that
  // wakes it.
  BroadcastReceiver<T> Subscribe() { return Subscribe(policy_); }
  // The same with its own policy: a display may miss values that a log must
  // not.
  BroadcastReceiver<T> Subscribe(LagPolicy policy) {
    CheckThread();
    return BroadcastReceiver<T>(*this, policy);
  }

  // Sends `value` to every receiver. Without receivers it is dropped. Waits,
  // in call order, only if a receiver whose policy is kBlockSender is
  // `capacity` values behind; then no receiver misses anything.
  //
  // Errors:       Unavailable if it is closed, also during the wait.
  //               Cancelled.
  // Ownership:    `value` must outlive the await. It is moved from when it is
  //               accepted; after an error it is unchanged.
  // Cancellation: nothing was sent. A task that is cancelled after its value
  //               was accepted has sent it: OK.
  // Cost:         no allocation; O(receivers).
  SendOp Send(internal::SentValue<T> value) { return SendOp(*this, value); }

  // Sends without waiting; ResourceExhausted if Send() would wait.
  absl::Status TrySend(internal::SentValue<T> value) {
    CheckThread();
    if (closed_) return absl::Status(absl::StatusCode::kUnavailable, "");
    if (Accept(value)) return absl::OkStatus();
    return absl::Status(absl::StatusCode::kResourceExhausted, "");
  }

  // Closes it: senders, waiting ones included, get Unavailable. Receivers get
  // their remaining values, then Unavailable.
  void Close();

  bool closed() const {
    CheckThread();
    return closed_;
  }
  size_t capacity() const { return capacity_; }
  // The number of values that some receiver has not received.
  size_t size() const {
    CheckThread();
    return end_ - begin_;
  }
  size_t n_receivers() const {
    CheckThread();
    return n_receivers_;
  }

 private:
  friend class BroadcastReceiver<T>;
  using Receiver = BroadcastReceiver<T>;

  struct Slot {
    std::optional<T> value;
    size_t readers = 0;  // yet to receive it; not fewer in later slots
  };

  static size_t CheckCapacity(size_t capacity) {
    RINGWAY_CHECK(capacity > 0 && capacity <= kMostCapacity,
                  "a Broadcast holds 1 to 2^30 values");
    return capacity;
  }

  void CheckThread() const { owner_.CheckOrGone("a Broadcast"); }
  Slot& At(uint64_t position) { return slots_[position % capacity_]; }

  // Takes `value` if there is room. Keeps FIFO order: senders wait only while
  // there is no room.
  bool Accept(internal::SentObject<T>& value);
  // True if there is room, or was made as the policies of the slowest say;
  // false if one of these is to wait.
  bool MakeRoom();
  void Append(internal::SentObject<T>& value);
  void DropFront() {
    At(begin_).value.reset();
    ++begin_;
  }
  void DropWhatAllHaveHad() {
    while (begin_ < end_ && At(begin_).readers == 0) DropFront();
  }
  void DisconnectSlowest();
  // Called after a receiver has received a value or was removed.
  void GoOn();

  void Add(Receiver& receiver);
  void Remove(Receiver& receiver);
  // True if there is a value for it.
  bool HasFor(const Receiver& receiver) const { return receiver.next_ < end_; }
  absl::StatusOr<T> TakeFor(Receiver& receiver);

  const size_t capacity_;
  const LagPolicy policy_;
  bool closed_ = false;
  OwnerThread owner_ = OwnerThread::Unbound();
  const std::unique_ptr<Slot[]> slots_;
  uint64_t begin_ = 0;  // positions only grow
  uint64_t end_ = 0;
  IntrusiveList<Receiver> receivers_;
  size_t n_receivers_ = 0;
  internal::WaitLine<SendOp> senders_;
};

}  // namespace ringway

#include "ringway/executor/sync/broadcast_impl.h"  // the definitions

#endif  // RINGWAY_EXECUTOR_SYNC_BROADCAST_H_
