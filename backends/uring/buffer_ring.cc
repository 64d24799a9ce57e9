// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/buffer_ring.h"

#include <unistd.h>

#include <utility>

#include "ringway/backends/uring/call_error.h"
#include "ringway/core/check.h"

namespace ringway::uring {

absl::StatusOr<std::unique_ptr<BufferRing>> BufferRing::Create(
    KernelRing& ring, uint32_t count, uint32_t n_bytes) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  absl::StatusOr<AlignedBuffer> memory =
      AlignedBuffer::Create(size_t{count} * n_bytes, page);
  if (!memory.ok()) return memory.status();
  absl::StatusOr<AlignedBuffer> entries =
      AlignedBuffer::Create(count * sizeof(io_uring_buf), page);
  if (!entries.ok()) return entries.status();
  std::unique_ptr<BufferRing> buffers(
      new BufferRing(*std::move(memory), *std::move(entries), count, n_bytes));

  io_uring_buf_reg registration = {};
  registration.ring_addr = reinterpret_cast<uintptr_t>(buffers->ring());
  registration.ring_entries = count;
  registration.bgid = kGroup;
  if (int rc = io_uring_register_buf_ring(ring.get(), &registration, 0);
      rc < 0) {
    return CallError(-rc, "io_uring_register",
                     "registering a ring of receive buffers");
  }
  return buffers;
}

BufferRing::BufferRing(AlignedBuffer memory, AlignedBuffer ring, uint32_t count,
                       uint32_t n_bytes)
    : memory_(std::move(memory)),
      ring_(std::move(ring)),
      count_(count),
      n_bytes_(n_bytes),
      available_(count) {
  io_uring_buf_ring_init(this->ring());
  for (uint32_t i = 0; i < count; ++i) {
    const uint16_t id = static_cast<uint16_t>(i);
    io_uring_buf_ring_add(this->ring(), Data(id), n_bytes_, id,
                          io_uring_buf_ring_mask(count_), static_cast<int>(i));
  }
  io_uring_buf_ring_advance(this->ring(), static_cast<int>(count));
}

void BufferRing::Return(uint16_t id) {
  RINGWAY_CHECK(id < count_ && available_ < count_,
                "receive buffer %u was returned twice or never lent",
                unsigned{id});
  io_uring_buf_ring_add(ring(), Data(id), n_bytes_, id,
                        io_uring_buf_ring_mask(count_), 0);
  io_uring_buf_ring_advance(ring(), 1);
  ++available_;
}

}  // namespace ringway::uring
