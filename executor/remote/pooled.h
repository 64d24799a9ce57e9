// SPDX-License-Identifier: Apache-2.0
//
// MakePooled: std::make_shared from the thread's FrameAllocator.
//
// For short-lived objects shared by two workers, such as a call or a wait:
// the block comes from the worker that makes it and returns there, whichever
// thread drops the last reference. Once as many have been alive before,
// nothing is allocated.

#ifndef RINGWAY_EXECUTOR_REMOTE_POOLED_H_
#define RINGWAY_EXECUTOR_REMOTE_POOLED_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "ringway/core/memory/frame_allocator.h"

namespace ringway::internal {

// The standard's allocator interface over FrameAllocator.
template <typename T>
struct PooledAllocator {
  using value_type = T;

  PooledAllocator() = default;
  template <typename U>
  explicit PooledAllocator(const PooledAllocator<U>&) {}

  T* allocate(size_t n) {
    static_assert(alignof(T) <= 16, "FrameAllocator aligns to 16 bytes");
    return static_cast<T*>(FrameAllocator::Allocate(n * sizeof(T)));
  }
  void deallocate(T* p, size_t) { FrameAllocator::Free(p); }

  template <typename U>
  friend bool operator==(const PooledAllocator&, const PooledAllocator<U>&) {
    return true;
  }
};

// Threads: any; on a thread without an executor the block comes from the
//          heap.
template <typename T, typename... Args>
std::shared_ptr<T> MakePooled(Args&&... args) {
  return std::allocate_shared<T>(PooledAllocator<T>(),
                                 std::forward<Args>(args)...);
}

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_REMOTE_POOLED_H_
