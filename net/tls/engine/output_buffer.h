// SPDX-License-Identifier: Apache-2.0
//
// OutputBuffer: encrypted bytes to be sent. OutputPool: the blocks of memory of
// one worker for them, so that a stream with nothing to send has none.

#ifndef RINGWAY_NET_TLS_ENGINE_OUTPUT_BUFFER_H_
#define RINGWAY_NET_TLS_ENGINE_OUTPUT_BUFFER_H_

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace ringway::net::internal {

// Memory from the heap. May be used and freed on any thread.
class OutputBuffer {
 public:
  // Four records of the most bytes, with what encryption adds to them.
  static constexpr size_t kBlockBytes = size_t{66} << 10;

  OutputBuffer() = default;
  OutputBuffer(OutputBuffer&& other) noexcept
      : memory_(std::move(other.memory_)),
        capacity_(std::exchange(other.capacity_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  OutputBuffer& operator=(OutputBuffer&& other) noexcept {
    memory_ = std::move(other.memory_);
    capacity_ = std::exchange(other.capacity_, 0);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  ~OutputBuffer() = default;

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  std::span<const std::byte> bytes() const { return {memory_.get(), size_}; }

  // Grows to what is needed, at first to a whole block. Throws std::bad_alloc.
  void Append(std::span<const std::byte> bytes);
  void Clear() { size_ = 0; }

 private:
  std::unique_ptr<std::byte[]> memory_;
  size_t capacity_ = 0;
  size_t size_ = 0;
};

// Of one worker: an object of its ExecutorLocals. The block that was given back
// last is taken first.
class OutputPool {
 public:
  // Blocks that are kept for the next write.
  static constexpr size_t kMostFree = 16;

  // An empty buffer, with a block if one is free.
  OutputBuffer Take();
  // Keeps the block of `buffer`, unless it is none or there are enough.
  void GiveBack(OutputBuffer buffer);

  size_t free_blocks() const { return free_.size(); }

 private:
  std::vector<OutputBuffer> free_;
};

}  // namespace ringway::net::internal

#endif  // RINGWAY_NET_TLS_ENGINE_OUTPUT_BUFFER_H_
