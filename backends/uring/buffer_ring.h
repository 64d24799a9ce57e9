// SPDX-License-Identifier: Apache-2.0
//
// BufferRing: the receive buffers that the kernel selects from (a
// provided-buffer ring, Linux 5.19).
//
// The cycle of a buffer: available to the kernel -> filled and lent to a user
// -> returned. Memory is reserved at once but becomes resident only as it is
// used.

#ifndef RINGWAY_BACKENDS_URING_BUFFER_RING_H_
#define RINGWAY_BACKENDS_URING_BUFFER_RING_H_

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "ringway/backends/uring/kernel_ring.h"
#include "ringway/core/memory/aligned_buffer.h"

namespace ringway::uring {

class BufferRing {
 public:
  static constexpr uint16_t kGroup = 0;

  // Registers `count` (a power of two up to 32,768) buffers of `n_bytes` each
  // with `ring`, which must be destroyed before the result: the kernel writes
  // into it until then.
  static absl::StatusOr<std::unique_ptr<BufferRing>> Create(KernelRing& ring,
                                                            uint32_t count,
                                                            uint32_t n_bytes);

  std::byte* Data(uint16_t id) {
    return memory_.data() + size_t{id} * n_bytes_;
  }
  uint32_t buffer_bytes() const { return n_bytes_; }

  // Records that the kernel has used a buffer.
  void Lend() { --available_; }

  // Makes buffer `id` available to the kernel again. Requires that it is lent.
  void Return(uint16_t id);

  // Buffers that are not lent; completions not yet reaped may have filled
  // some.
  uint32_t available() const { return available_; }

 private:
  BufferRing(AlignedBuffer memory, AlignedBuffer ring, uint32_t count,
             uint32_t n_bytes);
  io_uring_buf_ring* ring() {
    return reinterpret_cast<io_uring_buf_ring*>(ring_.data());
  }

  AlignedBuffer memory_;
  AlignedBuffer ring_;
  const uint32_t count_;
  const uint32_t n_bytes_;
  uint32_t available_;
};

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_BUFFER_RING_H_
