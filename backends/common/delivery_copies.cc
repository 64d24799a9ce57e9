// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/delivery_copies.h"

#include <algorithm>
#include <new>
#include <utility>

#include "ringway/core/check.h"

namespace ringway {
namespace {

constexpr size_t kMaxCopies = 65'536 - size_t{DeliveryCopies::kFirstId};

}  // namespace

DeliveryCopies::Copy DeliveryCopies::Make(std::span<const std::byte> bytes) {
  if (bytes.size() > max_bytes_ - bytes_held_) return {};
  if (first_free_ == kNone && !AddSlot()) return {};
  Slot& slot = slots_[first_free_];
  // At least one byte, so that an empty delivery has an address too.
  slot.data.reset(new (std::nothrow)
                      std::byte[std::max<size_t>(bytes.size(), 1)]);
  if (slot.data == nullptr) return {};
  slot.n_bytes = bytes.size();
  bytes_held_ += bytes.size();
  std::copy(bytes.begin(), bytes.end(), slot.data.get());
  Copy copy;
  copy.id = static_cast<uint16_t>(first_free_ + kFirstId);
  copy.data = slot.data.get();
  first_free_ = std::exchange(slot.next_free, kNone);
  return copy;
}

bool DeliveryCopies::AddSlot() {
  if (slots_.size() == kMaxCopies) return false;
  try {
    slots_.emplace_back();
  } catch (const std::bad_alloc&) {
    return false;
  }
  Free(slots_.size() - 1);
  return true;
}

// The free list is stored in the slots, so this cannot fail.
void DeliveryCopies::Free(size_t slot) {
  slots_[slot].next_free = std::exchange(first_free_, slot);
}

void DeliveryCopies::Return(uint16_t id) {
  RINGWAY_CHECK(IsCopy(id) && id - size_t{kFirstId} < slots_.size() &&
                    slots_[id - kFirstId].data != nullptr,
                "receive buffer %u was returned twice or never lent",
                unsigned{id});
  Slot& slot = slots_[id - kFirstId];
  bytes_held_ -= slot.n_bytes;
  slot.data.reset();
  Free(id - size_t{kFirstId});
}

}  // namespace ringway
