// SPDX-License-Identifier: Apache-2.0
//
// GrowingRing: a queue in one array, which doubles when it is full and is kept
// when it is empty. Nothing allocates once the longest queue has been seen.

#ifndef RINGWAY_EXECUTOR_SYNC_GROWING_RING_H_
#define RINGWAY_EXECUTOR_SYNC_GROWING_RING_H_

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include "ringway/core/check.h"

namespace ringway::internal {

template <typename T>
class GrowingRing {
 public:
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "elements move when the ring grows, which must not fail");

  GrowingRing() = default;
  GrowingRing(const GrowingRing&) = delete;
  GrowingRing& operator=(const GrowingRing&) = delete;
  ~GrowingRing() {
    while (!empty()) static_cast<void>(PopFront());
  }

  bool empty() const { return size() == 0; }
  size_t size() const { return end_ - begin_; }
  size_t capacity() const { return capacity_; }

  template <typename U>
  void PushBack(U&& value) {
    if (size() == capacity_) Grow();
    std::construct_at(&At(end_), std::forward<U>(value));
    ++end_;
  }

  // Requires !empty().
  T PopFront() {
    RINGWAY_DCHECK(!empty(), "PopFront() of an empty ring");
    T& front = At(begin_++);
    T value = std::move(front);
    std::destroy_at(&front);
    return value;
  }

 private:
  static constexpr size_t kFirstCapacity = 8;

  union Slot {
    Slot() {}
    ~Slot() {}
    T value;
  };

  // Positions count for ever; the capacity, a power of two, divides their
  // range.
  T& At(size_t position) { return slots_[position & (capacity_ - 1)].value; }

  void Grow() {
    const size_t capacity = capacity_ == 0 ? kFirstCapacity : 2 * capacity_;
    auto slots = std::make_unique<Slot[]>(capacity);
    const size_t n = size();
    for (size_t i = 0; i < n; ++i)
      std::construct_at(&slots[i].value, PopFront());
    slots_ = std::move(slots);
    capacity_ = capacity;
    begin_ = 0;
    end_ = n;
  }

  std::unique_ptr<Slot[]> slots_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_SYNC_GROWING_RING_H_
