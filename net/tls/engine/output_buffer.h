// SPDX-License-Identifier: Apache-2.0
//
// OutputBuffer: bytes to be sent: those that are encrypted, then records that
// the kernel has to encrypt. OutputPool: the blocks of memory of one worker for
// them, so that a stream with nothing to send has none.

#ifndef RINGWAY_NET_TLS_ENGINE_OUTPUT_BUFFER_H_
#define RINGWAY_NET_TLS_ENGINE_OUTPUT_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace ringway::net::internal {

// A record in the clear.
struct PlainRecord {
  uint8_t type = 0;
  std::span<const std::byte> bytes;
};

// Memory from the heap, or a record where it was made. May be used and freed on
// any thread.
class OutputBuffer {
 public:
  // Four records of the most bytes, with what encryption adds to them.
  static constexpr size_t kBlockBytes = size_t{66} << 10;

  OutputBuffer() = default;
  // Bytes that stay where they are. The caller keeps them there.
  static OutputBuffer InPlace(std::span<const std::byte> bytes) {
    OutputBuffer made;
    made.in_place_ = bytes;
    return made;
  }
  OutputBuffer(OutputBuffer&& other) noexcept
      : memory_(std::move(other.memory_)),
        capacity_(std::exchange(other.capacity_, 0)),
        size_(std::exchange(other.size_, 0)),
        n_encrypted_(std::exchange(other.n_encrypted_, 0)),
        in_place_(std::exchange(other.in_place_, {})) {}
  OutputBuffer& operator=(OutputBuffer&& other) noexcept {
    memory_ = std::move(other.memory_);
    capacity_ = std::exchange(other.capacity_, 0);
    size_ = std::exchange(other.size_, 0);
    n_encrypted_ = std::exchange(other.n_encrypted_, 0);
    in_place_ = std::exchange(other.in_place_, {});
    return *this;
  }
  ~OutputBuffer() = default;

  bool in_place() const { return !in_place_.empty(); }
  bool empty() const { return size() == 0; }
  size_t size() const { return in_place() ? in_place_.size() : size_; }
  size_t capacity() const { return capacity_; }
  // What was encrypted here: everything, unless the kernel encrypts.
  std::span<const std::byte> bytes() const {
    return in_place() ? in_place_ : std::span(memory_.get(), n_encrypted_);
  }
  // What the kernel has to encrypt, after them: see TakeRecord().
  std::span<const std::byte> records() const {
    return {memory_.get() + n_encrypted_, size_ - n_encrypted_};
  }
  // The first of `records`, which are not empty, and which it leaves.
  static PlainRecord TakeRecord(std::span<const std::byte>& records);

  // Adds encrypted bytes, before all records. Grows to what is needed, at first
  // to a whole block. Throws std::bad_alloc.
  void Append(std::span<const std::byte> bytes);
  // Adds a record of at most 64 KiB. Throws std::bad_alloc.
  void AppendRecord(PlainRecord record);
  void Clear() {
    size_ = n_encrypted_ = 0;
    in_place_ = {};
  }

 private:
  // Before a record's bytes: its type and their number.
  static constexpr size_t kHeaderBytes = 3;

  void Add(std::span<const std::byte> bytes);

  std::unique_ptr<std::byte[]> memory_;
  size_t capacity_ = 0;
  size_t size_ = 0;
  size_t n_encrypted_ = 0;
  std::span<const std::byte> in_place_;  // then it has no memory
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
