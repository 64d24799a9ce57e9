// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/tls/engine/output_buffer.h"

#include <algorithm>
#include <cstring>

#include "ringway/core/check.h"

namespace ringway::net::internal {

void OutputBuffer::Append(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  RINGWAY_CHECK(!in_place(), "bytes after a record that stays in place");
  if (bytes.size() > capacity_ - size_) {
    const size_t wanted =
        std::max({kBlockBytes, 2 * capacity_, size_ + bytes.size()});
    std::unique_ptr<std::byte[]> larger(new std::byte[wanted]);
    if (size_ > 0) memcpy(larger.get(), memory_.get(), size_);
    memory_ = std::move(larger);
    capacity_ = wanted;
  }
  memcpy(memory_.get() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

OutputBuffer OutputPool::Take() {
  if (free_.empty()) {
    free_.reserve(kMostFree);
    return {};
  }
  OutputBuffer last = std::move(free_.back());
  free_.pop_back();
  return last;
}

void OutputPool::GiveBack(OutputBuffer buffer) {
  if (buffer.capacity() != OutputBuffer::kBlockBytes) return;
  if (free_.size() >= kMostFree) return;
  buffer.Clear();
  free_.push_back(std::move(buffer));
}

}  // namespace ringway::net::internal
