// SPDX-License-Identifier: Apache-2.0
//
// DeliveryCopies: multishot deliveries copied out of their receive buffers
// because buffers had run low, so that tasks that keep deliveries do not
// starve others.

#ifndef RINGWAY_BACKENDS_COMMON_DELIVERY_COPIES_H_
#define RINGWAY_BACKENDS_COMMON_DELIVERY_COPIES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace ringway {

class DeliveryCopies {
 public:
  // Copies have ids from here on; receive buffers have smaller ids.
  static constexpr uint16_t kFirstId = 32'768;

  // Holds at most `max_bytes` at any time.
  explicit DeliveryCopies(size_t max_bytes) : max_bytes_(max_bytes) {}

  static bool IsCopy(uint16_t id) { return id >= kFirstId; }

  struct Copy {
    uint16_t id = 0;
    std::byte* data = nullptr;  // null: there was no room, or no memory
  };

  // Copies `bytes` to memory of that size, valid until Return(). Never
  // throws. Cost: one allocation; copies are made only when buffers are low.
  Copy Make(std::span<const std::byte> bytes);

  // Frees copy `id`. Requires that it is held (checked).
  void Return(uint16_t id);

  size_t bytes_held() const { return bytes_held_; }

 private:
  struct Slot {
    std::unique_ptr<std::byte[]> data;
    size_t n_bytes = 0;
    size_t next_free = kNone;
  };
  static constexpr size_t kNone = SIZE_MAX;

  bool AddSlot();
  void Free(size_t slot);

  const size_t max_bytes_;
  size_t bytes_held_ = 0;
  std::vector<Slot> slots_;  // by id
  size_t first_free_ = kNone;
};

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_DELIVERY_COPIES_H_
