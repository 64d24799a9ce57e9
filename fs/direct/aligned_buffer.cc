// SPDX-License-Identifier: Apache-2.0

#include "ringway/fs/direct/aligned_buffer.h"

#include "ringway/fs/direct/aligned_buffer_pool.h"

namespace ringway::fs {

absl::StatusOr<AlignedBuffer> AlignedBuffer::Create(size_t capacity,
                                                    size_t alignment) {
  absl::StatusOr<ringway::AlignedBuffer> own =
      ringway::AlignedBuffer::Create(capacity, alignment);
  if (!own.ok()) return own.status();
  AlignedBuffer buffer;
  buffer.own_ = *std::move(own);
  buffer.memory_ = buffer.own_.span();
  buffer.size_ = capacity;
  return buffer;
}

AlignedBuffer::~AlignedBuffer() {
  if (pool_ != nullptr) pool_->Return(memory_.data());
}

}  // namespace ringway::fs
