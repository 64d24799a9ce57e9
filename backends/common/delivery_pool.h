// SPDX-License-Identifier: Apache-2.0
//
// DeliveryPool: the memory of deliveries between the backend that makes them
// and the owner that takes them. Grows to the largest backlog there
// ever was, then allocates no more.
//
// It grows ahead of need, so that an allocation that fails once costs nothing.

#ifndef RINGWAY_BACKENDS_COMMON_DELIVERY_POOL_H_
#define RINGWAY_BACKENDS_COMMON_DELIVERY_POOL_H_

#include <array>
#include <cstddef>

#include "ringway/backends/operation.h"

namespace ringway {

class DeliveryPool {
 public:
  DeliveryPool() = default;
  DeliveryPool(const DeliveryPool&) = delete;
  DeliveryPool& operator=(const DeliveryPool&) = delete;
  ~DeliveryPool();

  // True if a delivery can be appended; false if there is no memory for one.
  // Never throws.
  [[nodiscard]] bool Reserve() { return n_free_ >= kAhead || Grow(); }

  // Appends a copy of `delivery` to those of `op`. Requires that
  // Reserve() was true since the last time (checked).
  void Append(DeliveringOperation& op, const Delivery& delivery);

  // Moves the oldest delivery of `op` to `delivery`; false if there is none.
  bool Take(DeliveringOperation& op, Delivery& delivery);

 private:
  static constexpr size_t kChunk = 64;
  // With fewer free than this, it grows, or tries to at each Reserve().
  static constexpr size_t kAhead = 16;

  struct Chunk {
    Chunk* next = nullptr;
    std::array<Delivery, kChunk> deliveries;
  };

  bool Grow();
  void Free(Delivery& slot);

  Delivery* free_ = nullptr;
  size_t n_free_ = 0;
  Chunk* chunks_ = nullptr;
};

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_DELIVERY_POOL_H_
