// SPDX-License-Identifier: Apache-2.0

#include "backends/delivery_copies.h"

#include <algorithm>

#include "core/check.h"

namespace ringway {
namespace {

constexpr size_t kMaxCopies = 65'536 - size_t{DeliveryCopies::kFirstId};

}  // namespace

DeliveryCopies::Copy DeliveryCopies::Make(std::span<const std::byte> bytes) {
  if (bytes.size() > max_bytes_ - bytes_held_) return {};
  if (free_.empty()) {
    if (slots_.size() == kMaxCopies) return {};
    free_.push_back(static_cast<uint16_t>(slots_.size() + kFirstId));
    slots_.emplace_back();
  }
  Copy copy;
  copy.id = free_.back();
  free_.pop_back();
  Slot& slot = slots_[copy.id - kFirstId];
  // At least one byte: an empty delivery has an address, too.
  slot.data.reset(new std::byte[std::max<size_t>(bytes.size(), 1)]);
  slot.n_bytes = bytes.size();
  bytes_held_ += bytes.size();
  std::copy(bytes.begin(), bytes.end(), slot.data.get());
  copy.data = slot.data.get();
  return copy;
}

void DeliveryCopies::Return(uint16_t id) {
  RINGWAY_CHECK(IsCopy(id) && id - size_t{kFirstId} < slots_.size() &&
                    slots_[id - kFirstId].data != nullptr,
                "receive buffer %u was returned twice or never lent",
                unsigned{id});
  Slot& slot = slots_[id - kFirstId];
  bytes_held_ -= slot.n_bytes;
  slot.data.reset();
  free_.push_back(id);
}

}  // namespace ringway
