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
  if (bytes.size() > max_copy_bytes_ - account_.memory().copies) return {};
  const Block block = Hold(bytes.size(), /*copied=*/true);
  if (block.data == nullptr) return block;
  std::copy(bytes.begin(), bytes.end(), block.data);
  account_.AddCopy(bytes.size());
  return block;
}

DeliveryMemory::Block DeliveryMemory::Allocate(size_t n_bytes) {
  const Block block = Hold(n_bytes, /*copied=*/false);
  if (block.data != nullptr) account_.AddOwn(n_bytes);
  return block;
}

DeliveryMemory::Block DeliveryMemory::Hold(size_t n_bytes, bool copied) {
  if (first_free_ == kNone && !AddSlot()) return {};
  Slot& slot = slots_[first_free_];
  // At least one byte, so that an empty delivery has an address too.
  slot.data.reset(new (std::nothrow) std::byte[std::max<size_t>(n_bytes, 1)]);
  if (slot.data == nullptr) return {};
  slot.n_bytes = n_bytes;
  slot.copied = copied;
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
  if (slot.copied) {
    account_.RemoveCopy(slot.n_bytes);
  } else {
    account_.RemoveOwn(slot.n_bytes);
  }
  slot.data.reset();
  Free(id - kFirstId);
}

}  // namespace ringway
