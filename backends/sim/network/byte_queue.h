// SPDX-License-Identifier: Apache-2.0
//
// ByteQueue: a FIFO of bytes that grows to the largest backlog so far.

#ifndef RINGWAY_BACKENDS_SIM_NETWORK_BYTE_QUEUE_H_
#define RINGWAY_BACKENDS_SIM_NETWORK_BYTE_QUEUE_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "ringway/core/check.h"

namespace ringway::sim {

class ByteQueue {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void Append(std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    Reserve(size_ + bytes.size());
    const size_t at = (first_ + size_) & (ring_.size() - 1);
    const size_t before_wrap = std::min(bytes.size(), ring_.size() - at);
    memcpy(&ring_[at], bytes.data(), before_wrap);
    memcpy(ring_.data(), bytes.data() + before_wrap,
           bytes.size() - before_wrap);
    size_ += bytes.size();
  }

  // The bytes from `offset` on, as far as they are contiguous.
  std::span<const std::byte> Piece(size_t offset = 0) const {
    if (offset >= size_) return {};
    const size_t at = (first_ + offset) & (ring_.size() - 1);
    return {&ring_[at], std::min(size_ - offset, ring_.size() - at)};
  }

  void Drop(size_t n) {
    RINGWAY_CHECK(n <= size_, "%zu bytes dropped of %zu", n, size_);
    if (n == 0) return;
    first_ = (first_ + n) & (ring_.size() - 1);
    size_ -= n;
  }

 private:
  static constexpr size_t kSmallest = 256;

  void Reserve(size_t n) {
    if (n <= ring_.size()) return;
    std::vector<std::byte> larger(std::bit_ceil(std::max(n, kSmallest)));
    for (size_t moved = 0; moved < size_;) {
      const std::span<const std::byte> piece = Piece(moved);
      memcpy(&larger[moved], piece.data(), piece.size());
      moved += piece.size();
    }
    ring_ = std::move(larger);
    first_ = 0;
  }

  std::vector<std::byte> ring_;  // a power of two
  size_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace ringway::sim

#endif  // RINGWAY_BACKENDS_SIM_NETWORK_BYTE_QUEUE_H_
