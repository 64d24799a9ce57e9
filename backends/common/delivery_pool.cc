// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/delivery_pool.h"

#include <new>
#include <utility>

namespace ringway {

DeliveryPool::~DeliveryPool() {
  while (chunks_ != nullptr) delete std::exchange(chunks_, chunks_->next);
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
