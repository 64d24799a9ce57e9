// SPDX-License-Identifier: Apache-2.0
//
// ReceivedBuffer: bytes that arrived in one of the backend's receive buffers,
// lent until dropped.

#ifndef RINGWAY_NET_RECEIVED_BUFFER_H_
#define RINGWAY_NET_RECEIVED_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "backends/backend.h"

namespace ringway::net {

// Must be dropped on the thread of its loop (checked) and before the loop ends.
class [[nodiscard]] ReceivedBuffer {
 public:
  // Empty: what a receive at end of stream gives.
  ReceivedBuffer() = default;
  ReceivedBuffer(Backend& backend, uint16_t buffer_id,
                 std::span<const std::byte> bytes)
      : backend_(&backend), buffer_id_(buffer_id), bytes_(bytes) {}
  ReceivedBuffer(ReceivedBuffer&& other) noexcept
      : backend_(std::exchange(other.backend_, nullptr)),
        buffer_id_(other.buffer_id_),
        bytes_(std::exchange(other.bytes_, {})) {}
  ReceivedBuffer& operator=(ReceivedBuffer&& other) noexcept {
    if (this != &other) {
      Release();
      backend_ = std::exchange(other.backend_, nullptr);
      buffer_id_ = other.buffer_id_;
      bytes_ = std::exchange(other.bytes_, {});
    }
    return *this;
  }
  ~ReceivedBuffer() { Release(); }

  std::span<const std::byte> bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

  // Forgets the first `n` bytes, at most size().
  void RemovePrefix(size_t n) { bytes_ = bytes_.subspan(n); }

  // Gives the buffer back now.
  void Release() {
    if (Backend* backend = std::exchange(backend_, nullptr))
      backend->ReturnBuffer(buffer_id_);
    bytes_ = {};
  }

 private:
  Backend* backend_ = nullptr;
  uint16_t buffer_id_ = 0;
  std::span<const std::byte> bytes_;
};

}  // namespace ringway::net

#endif  // RINGWAY_NET_RECEIVED_BUFFER_H_
