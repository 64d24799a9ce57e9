// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/delivery_memory.h"

#include <algorithm>
#include <new>
#include <utility>

#include "ringway/core/check.h"

namespace ringway {
namespace {

constexpr size_t kMostSlots = UINT32_MAX - size_t{DeliveryMemory::kFirstId};

}  // namespace

DeliveryMemory::Block DeliveryMemory::Copy(std::span<const std::byte> bytes) {
  if (bytes.size() > max_copy_bytes_ - copy_bytes_held_) return {};
  const Block block = Allocate(bytes.size());
  if (block.data == nullptr) return block;
  std::copy(bytes.begin(), bytes.end(), block.data);
  Held(block.id).n_copied = bytes.size();
  copy_bytes_held_ += bytes.size();
  return block;
}

DeliveryMemory::Block DeliveryMemory::Allocate(size_t n_bytes) {
  if (first_free_ == kNone && !AddSlot()) return {};
  Slot& slot = slots_[first_free_];
  // At least one byte, so that an empty delivery has an address too.
  slot.data.reset(new (std::nothrow) std::byte[std::max<size_t>(n_bytes, 1)]);
  if (slot.data == nullptr) return {};
  Block block;
  block.id = static_cast<uint32_t>(first_free_ + kFirstId);
  block.data = slot.data.get();
  first_free_ = std::exchange(slot.next_free, kNone);
  return block;
}

bool DeliveryMemory::AddSlot() {
  if (slots_.size() == kMostSlots) return false;
  try {
    slots_.emplace_back();
  } catch (const std::bad_alloc&) {
    return false;
  }
  Free(slots_.size() - 1);
  return true;
}

// The free list is stored in the slots, so this cannot fail.
void DeliveryMemory::Free(size_t slot) {
  slots_[slot].next_free = std::exchange(first_free_, slot);
}

DeliveryMemory::Slot& DeliveryMemory::Held(uint32_t id) {
  RINGWAY_CHECK(Holds(id), "receive buffer %u was returned twice or never lent",
                id);
  return slots_[id - kFirstId];
}

std::byte* DeliveryMemory::Data(uint32_t id) { return Held(id).data.get(); }

void DeliveryMemory::Return(uint32_t id) {
  Slot& slot = Held(id);
  copy_bytes_held_ -= std::exchange(slot.n_copied, 0);
  slot.data.reset();
  Free(id - kFirstId);
}

}  // namespace ringway
