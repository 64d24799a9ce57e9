// SPDX-License-Identifier: Apache-2.0
//
// Broadcast<T>: each value to every receiver, among the tasks of one worker.
//
// One ring holds the values, once, until every receiver has had them. What
// happens when a receiver does not keep up is decided when it is made: see
// LagPolicy. To hand each value to one receiver, use a Channel.
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

// What a full Broadcast does to the receivers that have most to catch up with.
enum class LagPolicy : uint8_t {
  kBlockSender,  // waits for them: nobody misses anything
  kDropOldest,   // they miss the oldest value, and are told how many
  kDisconnect,   // they are at the end: ResourceExhausted
};

// Of one worker. No task may wait for it, or for one of its receivers, when it
// is destroyed (checked): Close() sends them away. Receivers may outlive it,
// and are at the end then. `T` is copied, and moves without throwing.
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
  // receiver has not had. Allocates room for them, and nothing later.
  explicit Broadcast(size_t capacity,
                     LagPolicy policy = LagPolicy::kBlockSender)
      : capacity_(CheckCapacity(capacity)),
        policy_(policy),
        slots_(std::make_unique<Slot[]>(capacity)) {}
  Broadcast(const Broadcast&) = delete;
  Broadcast& operator=(const Broadcast&) = delete;
  ~Broadcast();

  // A receiver of what is sent from now on. Any number; each costs a send that
  // wakes it a list operation, and no allocation.
  BroadcastReceiver<T> Subscribe() {
    CheckThread();
    return BroadcastReceiver<T>(*this);
  }

  // Gives `value` to every receiver there is. Without receivers it is dropped.
  // Waits, behind those who came earlier, only if the policy is kBlockSender
  // and the slowest receiver is `capacity` values behind.
  //
  // Errors:       Unavailable once closed, also while it waits. Cancelled.
  // Ownership:    `value` must outlive the await. It is moved from when it is
  //               accepted; after an error it is untouched and the caller's.
  // Cancellation: nothing was sent. A task that is cancelled after its value
  //               was accepted has sent it: OK.
  // Cost:         no allocation; O(receivers).
  SendOp Send(internal::SentValue<T> value) { return SendOp(*this, value); }

  // The same if there is no need to wait; otherwise ResourceExhausted.
  absl::Status TrySend(internal::SentValue<T> value) {
    CheckThread();
    if (closed_) return absl::Status(absl::StatusCode::kUnavailable, "");
    if (Accept(value)) return absl::OkStatus();
    return absl::Status(absl::StatusCode::kResourceExhausted, "");
  }

  // Ends it: senders are refused, also those who wait. Receivers get what is
  // left for them, and are at the end then.
  void Close();

  bool closed() const {
    CheckThread();
    return closed_;
  }
  size_t capacity() const { return capacity_; }
  // Values that some receiver has not had.
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
    size_t readers = 0;  // that have yet to have it; more in later slots
  };

  static size_t CheckCapacity(size_t capacity) {
    RINGWAY_CHECK(capacity > 0 && capacity <= kMostCapacity,
                  "a Broadcast holds 1 to 2^30 values");
    return capacity;
  }

  void CheckThread() const { owner_.CheckOrGone("a Broadcast"); }
  Slot& At(uint64_t position) { return slots_[position % capacity_]; }

  // Takes `value`, making room for it as the policy says; false if the policy
  // is to wait. Overtakes nobody: senders wait only while there is no room.
  bool Accept(internal::SentObject<T>& value);
  void Append(internal::SentObject<T>& value);
  void DropFront() {
    At(begin_).value.reset();
    ++begin_;
  }
  void DisconnectSlowest();
  // After a receiver has had something, or has gone.
  void GoOn();

  void Add(Receiver& receiver);
  void Remove(Receiver& receiver);
  // Whether there is a value for it.
  bool HasFor(const Receiver& receiver) const { return receiver.next_ < end_; }
  absl::StatusOr<T> TakeFor(Receiver& receiver);

  const size_t capacity_;
  const LagPolicy policy_;
  bool closed_ = false;
  OwnerThread owner_ = OwnerThread::Unbound();
  const std::unique_ptr<Slot[]> slots_;
  uint64_t begin_ = 0;  // positions count for ever
  uint64_t end_ = 0;
  IntrusiveList<Receiver> receivers_;
  size_t n_receivers_ = 0;
  internal::WaitLine<SendOp> senders_;
};

}  // namespace ringway

#include "ringway/executor/sync/broadcast_impl.h"  // the definitions

#endif  // RINGWAY_EXECUTOR_SYNC_BROADCAST_H_
