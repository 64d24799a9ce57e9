// SPDX-License-Identifier: Apache-2.0
//
// DeliveryMemory: memory of single deliveries, for when receive buffers run low
// (copies, so that tasks that keep deliveries do not starve others) or out
// (memory of a receive's own, so that nothing that is kept can starve it).

#ifndef RINGWAY_BACKENDS_COMMON_DELIVERY_MEMORY_H_
#define RINGWAY_BACKENDS_COMMON_DELIVERY_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ringway/backends/common/receive_account.h"

namespace ringway {

class DeliveryMemory {
 public:
  // Its ids are these and larger; receive buffers have smaller ids.
  static constexpr uint32_t kFirstId = 65'536;

  // Copies occupy at most `max_copy_bytes` at any time. What is held is noted
  // in `account`, which must outlive this.
  DeliveryMemory(size_t max_copy_bytes, ReceiveAccount& account)
      : max_copy_bytes_(max_copy_bytes), account_(account) {}

  static bool Has(uint32_t id) { return id >= kFirstId; }

  struct Block {
    uint32_t id = 0;
    std::byte* data = nullptr;  // null: there was no room, or no memory
  };

  // Copies `bytes` to memory of that size, valid until Return(). Never
  // throws. Cost: one allocation.
  Block Copy(std::span<const std::byte> bytes);

  // Memory of `n_bytes` to be filled, valid until Return(), whatever copies
  // occupy. Never throws. Cost: one allocation.
  Block Allocate(size_t n_bytes);

  // The memory of block `id`. Requires that it is held (checked).
  std::byte* Data(uint32_t id);

  bool Holds(uint32_t id) const {
    return Has(id) && id - kFirstId < slots_.size() &&
           slots_[id - kFirstId].data != nullptr;
  }

  // Frees block `id`. Requires that it is held (checked).
  void Return(uint32_t id);

 private:
  struct Slot {
    std::unique_ptr<std::byte[]> data;
    size_t n_bytes = 0;
    bool copied = false;
    size_t next_free = kNone;
  };
  static constexpr size_t kNone = SIZE_MAX;

  Slot& Held(uint32_t id);
  Block Hold(size_t n_bytes, bool copied);
  bool AddSlot();
  void Free(size_t slot);

  const size_t max_copy_bytes_;
  ReceiveAccount& account_;
  std::vector<Slot> slots_;  // by id
  size_t first_free_ = kNone;
};

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_DELIVERY_MEMORY_H_
