// SPDX-License-Identifier: Apache-2.0
//
// DeliveryPool: the memory of deliveries until their owner takes them. Grows
// to the largest backlog so far, then allocates nothing.
//
// It grows in advance, so that a single failed allocation has no effect.

#ifndef RINGWAY_BACKENDS_COMMON_DELIVERY_POOL_H_
#define RINGWAY_BACKENDS_COMMON_DELIVERY_POOL_H_

#include <array>
#include <cstddef>

#include "ringway/backends/operation.h"
#include "ringway/core/check.h"

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

  // Appends a copy of `delivery` to those of `op`. Requires a successful
  // Reserve() since the last call (checked).
  void Append(DeliveringOperation& op, const Delivery& delivery) {
    RINGWAY_CHECK(free_ != nullptr,
                  "a delivery of a %s was appended unreserved",
                  OpCodeName(op.opcode));
    Delivery* slot = free_;
    free_ = slot->next;
    --n_free_;
    *slot = delivery;
    slot->next = nullptr;
    if (op.last_delivery != nullptr) {
      op.last_delivery->next = slot;
    } else {
      op.first_delivery = slot;
    }
    op.last_delivery = slot;
    ++op.delivery_count;
  }

  // Moves the oldest delivery of `op` to `delivery`; false if there is none.
  bool Take(DeliveringOperation& op, Delivery& delivery) {
    Delivery* slot = op.first_delivery;
    if (slot == nullptr) return false;
    op.first_delivery = slot->next;
    if (op.first_delivery == nullptr) op.last_delivery = nullptr;
    --op.delivery_count;
    delivery = *slot;
    delivery.next = nullptr;
    Free(*slot);
    return true;
  }

 private:
  static constexpr size_t kChunk = 64;
  // With fewer free entries than this, each Reserve() tries to grow.
  static constexpr size_t kAhead = 16;

  struct Chunk {
    Chunk* next = nullptr;
    std::array<Delivery, kChunk> deliveries;
  };

  bool Grow();
  void Free(Delivery& slot) {
    slot.next = free_;
    free_ = &slot;
    ++n_free_;
  }

  Delivery* free_ = nullptr;
  size_t n_free_ = 0;
  Chunk* chunks_ = nullptr;
};

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_DELIVERY_POOL_H_
