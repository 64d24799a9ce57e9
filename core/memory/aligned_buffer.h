// SPDX-License-Identifier: Apache-2.0
//
// AlignedBuffer: owns bytes aligned to a given power of two.
//
// For direct I/O and for memory registered with the kernel. From 64 KiB on it
// is mapped, so that it has its own pages and returns to the system when
// freed.
//
//   absl::StatusOr<AlignedBuffer> block = AlignedBuffer::Create(8192, 4096);
//   if (!block.ok()) return block.status();
//   file.ReadAt(0, block->span());

#ifndef RINGWAY_CORE_MEMORY_ALIGNED_BUFFER_H_
#define RINGWAY_CORE_MEMORY_ALIGNED_BUFFER_H_

#include <cstddef>
#include <span>
#include <utility>

#include "absl/status/statusor.h"

namespace ringway {

class AlignedBuffer {
 public:
  // Makes a buffer of `n_bytes` with unspecified content.
  //
  // Errors: InvalidArgument (no bytes, or an alignment that is not a power of
  //         two), ResourceExhausted (no memory).
  static absl::StatusOr<AlignedBuffer> Create(size_t n_bytes, size_t alignment);

  // An empty buffer.
  AlignedBuffer() = default;
  AlignedBuffer(AlignedBuffer&& other) noexcept { Swap(other); }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    AlignedBuffer(std::move(other)).Swap(*this);
    return *this;
  }
  ~AlignedBuffer();

  // Gives the memory of the pages that lie wholly in these bytes back to the
  // system, if the buffer is mapped. Their content is unspecified then; that of
  // all other bytes stays.
  void Discard(size_t offset, size_t n_bytes);

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<std::byte> span() { return {data_, size_}; }
  std::span<const std::byte> span() const { return {data_, size_}; }

 private:
  AlignedBuffer(std::byte* data, size_t size, bool mapped)
      : data_(data), size_(size), mapped_(mapped) {}

  void Swap(AlignedBuffer& other) {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(mapped_, other.mapped_);
  }

  std::byte* data_ = nullptr;
  size_t size_ = 0;
  bool mapped_ = false;
};

}  // namespace ringway

#endif  // RINGWAY_CORE_MEMORY_ALIGNED_BUFFER_H_
