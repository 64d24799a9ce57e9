// SPDX-License-Identifier: Apache-2.0
//
// CircularQueue: a first-in first-out queue in one block of memory, which
// doubles when it is full and never shrinks. It allocates only when it holds
// more than ever before.

#ifndef RINGWAY_CORE_CONTAINERS_CIRCULAR_QUEUE_H_
#define RINGWAY_CORE_CONTAINERS_CIRCULAR_QUEUE_H_

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include "ringway/core/check.h"

namespace ringway::internal {

template <typename T>
class CircularQueue {
 public:
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "elements move when the queue grows, which must not fail");

  CircularQueue() = default;
  CircularQueue(const CircularQueue&) = delete;
  CircularQueue& operator=(const CircularQueue&) = delete;
  ~CircularQueue() {
    while (!empty()) static_cast<void>(PopFront());
    Allocator().deallocate(slots_, capacity_);
  }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  // How many elements the memory is for.
  size_t capacity() const { return capacity_; }

  // Makes room for `n` elements at once. Requires empty() (checked).
  void Reserve(size_t n) {
    RINGWAY_CHECK(empty(), "Reserve() of a queue that is in use");
    if (n > capacity_) Grow(n);
  }

  // If it has to allocate and cannot, throws and leaves `value` unchanged.
  template <typename U>
  void PushBack(U&& value) {
    if (size_ == capacity_)
      Grow(capacity_ == 0 ? kFirstCapacity : 2 * capacity_);
    std::construct_at(&Slot(size_), std::forward<U>(value));
    ++size_;
  }

  // Requires !empty().
  T PopFront() {
    RINGWAY_DCHECK(!empty(), "PopFront() of an empty queue");
    T& front = Slot(0);
    T value = std::move(front);
    std::destroy_at(&front);
    first_ = first_ + 1 == capacity_ ? 0 : first_ + 1;
    --size_;
    return value;
  }

  void Swap(CircularQueue& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(capacity_, other.capacity_);
    std::swap(first_, other.first_);
    std::swap(size_, other.size_);
  }

 private:
  using Allocator = std::allocator<T>;
  static constexpr size_t kFirstCapacity = 8;

  // That of the i-th element.
  T& Slot(size_t i) {
    const size_t slot = first_ + i;
    return slots_[slot < capacity_ ? slot : slot - capacity_];
  }

  void Grow(size_t capacity) {
    CircularQueue larger;
    larger.slots_ = Allocator().allocate(capacity);
    larger.capacity_ = capacity;
    while (!empty()) {
      std::construct_at(&larger.Slot(larger.size_), PopFront());
      ++larger.size_;
    }
    Swap(larger);
  }

  T* slots_ = nullptr;
  size_t capacity_ = 0;
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace ringway::internal

#endif  // RINGWAY_CORE_CONTAINERS_CIRCULAR_QUEUE_H_
