// SPDX-License-Identifier: Apache-2.0
//
// RingQueue: a FIFO in one block of memory, which grows by doubling and never
// shrinks. So it allocates only when more is in it than ever before.

#ifndef RINGWAY_EXECUTOR_REMOTE_RING_QUEUE_H_
#define RINGWAY_EXECUTOR_REMOTE_RING_QUEUE_H_

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include "ringway/core/check.h"

namespace ringway::internal {

// `T` moves without throwing.
template <typename T>
class RingQueue {
 public:
  static_assert(std::is_nothrow_move_constructible_v<T>);

  RingQueue() = default;
  RingQueue(RingQueue&& other) noexcept { Swap(other); }
  RingQueue& operator=(RingQueue&&) = delete;
  ~RingQueue() {
    while (!empty()) static_cast<void>(PopFront());
    Allocator().deallocate(slots_, n_slots_);
  }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  // Makes room for `n` elements at once. Requires empty().
  void Reserve(size_t n) {
    RINGWAY_CHECK(empty(), "Reserve() of a queue that is in use");
    if (n > n_slots_) Grow(n);
  }

  // If it has to allocate and cannot, throws and leaves `value` as it is.
  void PushBack(T&& value) {
    if (size_ == n_slots_) Grow(n_slots_ == 0 ? 8 : 2 * n_slots_);
    std::construct_at(&Slot(size_), std::move(value));
    ++size_;
  }

  // Requires !empty().
  T PopFront() {
    T& front = Slot(0);
    T value = std::move(front);
    std::destroy_at(&front);
    first_ = first_ + 1 == n_slots_ ? 0 : first_ + 1;
    --size_;
    return value;
  }

  void Swap(RingQueue& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(n_slots_, other.n_slots_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
  }

 private:
  using Allocator = std::allocator<T>;

  // The i-th of the queue.
  T& Slot(size_t i) {
    const size_t slot = first_ + i;
    return slots_[slot < n_slots_ ? slot : slot - n_slots_];
  }

  void Grow(size_t n_slots) {
    RingQueue larger;
    larger.slots_ = Allocator().allocate(n_slots);
    larger.n_slots_ = n_slots;
    while (!empty()) {
      std::construct_at(&larger.Slot(larger.size_), PopFront());
      ++larger.size_;
    }
    Swap(larger);
  }

  T* slots_ = nullptr;
  size_t n_slots_ = 0;
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_REMOTE_RING_QUEUE_H_
