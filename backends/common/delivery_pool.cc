// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/delivery_pool.h"

#include <new>
#include <utility>

#include "ringway/core/check.h"

namespace ringway {

DeliveryPool::~DeliveryPool() {
  while (chunks_ != nullptr) delete std::exchange(chunks_, chunks_->next);
}

void DeliveryPool::Append(DeliveringOperation& op, const Delivery& delivery) {
  RINGWAY_CHECK(free_ != nullptr, "a delivery of a %s was appended unreserved",
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

bool DeliveryPool::Take(DeliveringOperation& op, Delivery& delivery) {
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

void DeliveryPool::Free(Delivery& slot) {
  slot.next = free_;
  free_ = &slot;
  ++n_free_;
}

// True if there is a free slot, even if growing has failed.
bool DeliveryPool::Grow() {
  if (Chunk* chunk = new (std::nothrow) Chunk; chunk != nullptr) {
    chunk->next = std::exchange(chunks_, chunk);
    for (size_t i = kChunk; i-- > 0;) Free(chunk->deliveries[i]);
  }
  return free_ != nullptr;
}

}  // namespace ringway
