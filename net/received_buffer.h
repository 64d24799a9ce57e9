// SPDX-License-Identifier: Apache-2.0
//
// ReceivedBuffer: bytes that arrived in one of the backend's receive buffers,
// lent until dropped.

#ifndef RINGWAY_NET_RECEIVED_BUFFER_H_
#define RINGWAY_NET_RECEIVED_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "ringway/executor/loop/lent_buffer.h"
#include "ringway/executor/loop/loop.h"

namespace ringway::net {

// Must be dropped on the thread of its loop (checked), or after that has ended:
// the loop's end takes the bytes back, and looking at them then aborts
// (executor/loop/loop_dependent.h).
//
// Threads: the loop's only (checked), but for looking at the bytes.
class [[nodiscard]] ReceivedBuffer {
 public:
  // Empty: what a receive at end of stream gives.
  ReceivedBuffer() = default;
  ReceivedBuffer(Loop& loop, uint16_t buffer_id, std::span<std::byte> bytes)
      : buffer_(loop, buffer_id, bytes) {}

  std::span<const std::byte> bytes() const { return buffer_.bytes(); }
  size_t size() const { return bytes().size(); }
  bool empty() const { return bytes().empty(); }

  // Forgets the first `n` bytes, at most size().
  void RemovePrefix(size_t n) { buffer_.RemovePrefix(n); }

  // Gives the buffer back now.
  void Release() { buffer_.Release(); }

 private:
  LentBuffer buffer_;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_RECEIVED_BUFFER_H_
