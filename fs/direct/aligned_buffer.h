// SPDX-License-Identifier: Apache-2.0
//
// AlignedBuffer and AlignedView: memory for direct I/O, and parts of it that
// know how they are aligned.
//
//   absl::StatusOr<AlignedBuffer> buffer = AlignedBuffer::Create(8192, 4096);
//   AlignedView second = buffer->view().Sub(4096, 4096);
//   co_await file.ReadAt(second.bytes(), offset);

#ifndef RINGWAY_FS_DIRECT_ALIGNED_BUFFER_H_
#define RINGWAY_FS_DIRECT_ALIGNED_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/core/compiler.h"
#include "ringway/core/memory/aligned_buffer.h"

namespace ringway::fs {

class AlignedBufferPool;

// Bytes of a buffer, which must outlive it.
class AlignedView {
 public:
  AlignedView() = default;
  explicit AlignedView(std::span<std::byte> bytes) : bytes_(bytes) {}

  std::byte* data() const { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  std::span<std::byte> bytes() const { return bytes_; }

  // The largest power of two that its address is a multiple of.
  size_t alignment() const {
    const auto address = reinterpret_cast<uintptr_t>(bytes_.data());
    return address & -address;
  }
  // True if address and size are multiples of `n_bytes`.
  bool IsAlignedTo(size_t n_bytes) const {
    return reinterpret_cast<uintptr_t>(bytes_.data()) % n_bytes == 0 &&
           bytes_.size() % n_bytes == 0;
  }

  // The `n_bytes` from `offset` on, which must lie within (checked, in every
  // build).
  AlignedView Sub(size_t offset, size_t n_bytes) const {
    RINGWAY_CHECK(offset <= size() && n_bytes <= size() - offset,
                  "a view of %zu bytes at %zu of a buffer of %zu", n_bytes,
                  offset, size());
    return AlignedView(bytes_.subspan(offset, n_bytes));
  }

 private:
  std::span<std::byte> bytes_;
};

// Owns aligned memory, or one buffer of a pool, which gets it back. Move-only.
class AlignedBuffer {
 public:
  // Makes one with `capacity` bytes of unspecified content, all of them used.
  //
  // Errors: InvalidArgument (no bytes, or an alignment that is not a power of
  //         two), ResourceExhausted (no memory).
  static absl::StatusOr<AlignedBuffer> Create(size_t capacity,
                                              size_t alignment);

  // An empty buffer.
  AlignedBuffer() = default;
  AlignedBuffer(AlignedBuffer&& other) noexcept { Swap(other); }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    AlignedBuffer(std::move(other)).Swap(*this);
    return *this;
  }
  ~AlignedBuffer();

  std::byte* data() const { return memory_.data(); }
  // The bytes in use: those of bytes() and view().
  size_t size() const { return size_; }
  size_t capacity() const { return memory_.size(); }
  // At most the capacity (checked). The content stays.
  void Resize(size_t n_bytes) {
    RINGWAY_CHECK(n_bytes <= capacity(),
                  "an aligned buffer of %zu bytes was resized to %zu",
                  capacity(), n_bytes);
    size_ = n_bytes;
  }

  std::span<std::byte> bytes() const { return memory_.first(size_); }
  AlignedView view() const { return AlignedView(bytes()); }

 private:
  friend class AlignedBufferPool;
  AlignedBuffer(AlignedBufferPool& pool, std::span<std::byte> memory)
      : pool_(&pool), memory_(memory), size_(memory.size()) {}

  void Swap(AlignedBuffer& other) {
    std::swap(own_, other.own_);
    std::swap(pool_, other.pool_);
    std::swap(memory_, other.memory_);
    std::swap(size_, other.size_);
  }

  ringway::AlignedBuffer own_;         // empty for one of a pool
  AlignedBufferPool* pool_ = nullptr;  // null for one of its own
  std::span<std::byte> memory_;
  size_t size_ = 0;
};

}  // namespace ringway::fs

#endif  // RINGWAY_FS_DIRECT_ALIGNED_BUFFER_H_
