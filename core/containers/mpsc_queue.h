// SPDX-License-Identifier: Apache-2.0
//
// MpscQueue: a lock-free queue with many producers and one consumer.
//
// The links live inside the elements, so a push neither allocates nor fails
// for lack of room. The consumer takes all elements at once. Elements of one
// thread arrive in the order they were pushed. Close() loses nothing: each
// element is either returned to the consumer or refused, in which case the
// sender keeps it.
//
//   struct Message : MpscNode { ... };
//   MpscQueue<Message> mailbox;
//   // A sender:
//   switch (mailbox.Push(message)) {
//     case PushResult::kWasEmpty: RingDoorbell(); break;
//     case PushResult::kQueued:   break;  // the first sender rings it
//     case PushResult::kClosed:   return absl::UnavailableError("stopped");
//   }
//   // The taker:
//   MpscBatch<Message> batch = mailbox.TakeAll();
//   while (Message* message = batch.PopFront()) Handle(*message);
//
// Memory ordering. The queue is one atomic pointer to the element pushed
// last; each element points to the one before it.
// - A push is a compare-and-swap with release order, a take is an exchange with
//   acquire order: a sender's writes before Push() are visible after TakeAll()
//   or Close(). Elements further down are visible too: each push is a
//   read-modify-write and so continues the release sequence of earlier ones.
// - Close() is a release too, and a refused Push() an acquire: a sender whose
//   element is refused sees the consumer's writes before Close(), and may
//   destroy state that the two shared.
// - ABA is harmless: only the whole chain is ever removed, so a head that
//   changed and changed back is still a valid successor of a new element.
// - Push() and empty() are also sequentially consistent. If a consumer stores
//   "asleep" (seq_cst), then finds empty() true and blocks, and a sender pushes
//   and then loads "asleep" (seq_cst), at least one of the two sees the other.
//   No fence is needed, and ThreadSanitizer supports it.

#ifndef RINGWAY_CORE_CONTAINERS_MPSC_QUEUE_H_
#define RINGWAY_CORE_CONTAINERS_MPSC_QUEUE_H_

#include <atomic>
#include <utility>

#include "ringway/core/check.h"
#include "ringway/core/schedule_point.h"

namespace ringway {

// The link of an element. Immovable. Belongs to the sender until Push(), then
// to the consumer until PopFront() returns it.
class MpscNode {
 public:
  MpscNode() = default;
  MpscNode(const MpscNode&) = delete;
  MpscNode& operator=(const MpscNode&) = delete;
  ~MpscNode() {
    RINGWAY_CHECK(next_ == this, "an element was destroyed while in a mailbox");
  }

 private:
  template <typename T>
  friend class MpscQueue;
  template <typename T>
  friend class MpscBatch;

  MpscNode* next_ = this;  // itself: in no queue
};

enum class PushResult {
  kWasEmpty,  // queued, the first since the last take: wake the consumer
  kQueued,    // queued after others
  kClosed,    // refused; the sender keeps the element
};

template <typename T>
class MpscQueue;

// Elements taken from a queue, in FIFO order. Must be drained before it is
// destroyed (checked).
template <typename T>
class [[nodiscard]] MpscBatch {
 public:
  MpscBatch() = default;
  MpscBatch(MpscBatch&& other) noexcept
      : first_(std::exchange(other.first_, nullptr)) {}
  // Requires empty().
  MpscBatch& operator=(MpscBatch&& other) noexcept {
    RINGWAY_CHECK(empty(), "assigned to a batch that is not drained");
    first_ = std::exchange(other.first_, nullptr);
    return *this;
  }
  ~MpscBatch() {
    RINGWAY_CHECK(empty(), "a batch was destroyed before it was drained");
  }

  bool empty() const { return first_ == nullptr; }

  // Removes and returns the first element, or returns null. The element may be
  // pushed again or destroyed at once.
  T* PopFront() {
    if (empty()) return nullptr;
    MpscNode* node = first_;
    first_ = std::exchange(node->next_, node);
    return static_cast<T*>(node);
  }

 private:
  friend class MpscQueue<T>;
  explicit MpscBatch(MpscNode* first) : first_(first) {}

  MpscNode* first_ = nullptr;
};

// `T` derives from MpscNode. Aligned so that the word that senders write does
// not share a cache line with data that the consumer reads often.
template <typename T>
class alignas(64) MpscQueue {
 public:
  MpscQueue() = default;
  MpscQueue(const MpscQueue&) = delete;
  MpscQueue& operator=(const MpscQueue&) = delete;
  // No thread may use it any more. All elements must have been taken
  // (checked).
  ~MpscQueue() {
    const MpscNode* last = last_.load(std::memory_order_acquire);
    RINGWAY_CHECK(last == nullptr || last == &closed_,
                  "a mailbox was destroyed with elements in it");
  }

  // Queues `element`, which must be in no queue (checked). Unless the result
  // is kClosed, the element belongs to the consumer and may already be
  // destroyed.
  //
  // Threads: any.
  // Cost:    one compare-and-swap, repeated when senders collide.
  PushResult Push(T& element) {
    MpscNode& node = element;
    RINGWAY_CHECK(node.next_ == &node, "the element is in a mailbox already");
    MpscNode* last = last_.load(std::memory_order_relaxed);
    do {
      if (last == &closed_) {
        static_cast<void>(last_.load(std::memory_order_acquire));
        node.next_ = &node;
        return PushResult::kClosed;
      }
      node.next_ = last;
      internal::SchedulePoint();
    } while (!last_.compare_exchange_weak(
        last, &node, std::memory_order_seq_cst, std::memory_order_relaxed));
    internal::SchedulePoint();
    return last == nullptr ? PushResult::kWasEmpty : PushResult::kQueued;
  }

  // Takes all elements pushed so far; none once it is closed.
  //
  // Threads: the consumer's only.
  // Cost:    one load if empty; otherwise one exchange and a pass over the
  //          elements to reverse them.
  MpscBatch<T> TakeAll() {
    if (empty()) return MpscBatch<T>();
    internal::SchedulePoint();
    return Reverse(last_.exchange(nullptr, std::memory_order_acquire));
  }

  // Refuses later pushes and returns the elements pushed before.
  //
  // Threads: the consumer's only.
  MpscBatch<T> Close() {
    if (closed()) return MpscBatch<T>();
    return Reverse(last_.exchange(&closed_, std::memory_order_acq_rel));
  }

  // True if there are no elements to take. On a sender's thread the answer
  // may be outdated at once.
  bool empty() const {
    const MpscNode* last = last_.load(std::memory_order_seq_cst);
    return last == nullptr || last == &closed_;
  }

  bool closed() const {
    return last_.load(std::memory_order_acquire) == &closed_;
  }

 private:
  static MpscBatch<T> Reverse(MpscNode* last) {
    MpscNode* first = nullptr;
    while (last != nullptr) {
      MpscNode* before = last->next_;
      last->next_ = first;
      first = last;
      last = before;
    }
    return MpscBatch<T>(first);
  }

  std::atomic<MpscNode*> last_ = nullptr;
  MpscNode closed_;  // its address in `last_` means closed
};

}  // namespace ringway

#endif  // RINGWAY_CORE_CONTAINERS_MPSC_QUEUE_H_
