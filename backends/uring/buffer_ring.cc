// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/buffer_ring.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "ringway/backends/uring/call_error.h"
#include "ringway/backends/uring/kernel_constants.h"
#include "ringway/core/check.h"

namespace ringway::uring {
namespace {

// They follow the group's number; liburing 2.3 calls them padding.
void SetFlags(io_uring_buf_reg& registration, uint16_t flags) {
  constexpr size_t kOffset = offsetof(io_uring_buf_reg, bgid) + sizeof(flags);
  static_assert(offsetof(io_uring_buf_reg, resv) == kOffset + sizeof(flags));
  memcpy(reinterpret_cast<std::byte*>(&registration) + kOffset, &flags,
         sizeof(flags));
}

}  // namespace

absl::StatusOr<std::unique_ptr<BufferRing>> BufferRing::Create(
    KernelRing& ring, const Config& config, ReceiveAccount& account) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  // Mapped memory, which becomes resident only when used.
  absl::StatusOr<AlignedBuffer> memory =
      AlignedBuffer::Create(size_t{config.most} * config.n_bytes, page);
  if (!memory.ok()) return memory.status();
  absl::StatusOr<AlignedBuffer> entries = AlignedBuffer::Create(
      std::bit_ceil(config.most) * sizeof(io_uring_buf), page);
  if (!entries.ok()) return entries.status();
  std::unique_ptr<BufferRing> buffers(
      new BufferRing(config, *std::move(memory), *std::move(entries), account));

  io_uring_buf_reg registration = {};
  registration.ring_addr = reinterpret_cast<uintptr_t>(buffers->ring());
  registration.ring_entries = buffers->n_entries_;
  registration.bgid = config.group;
  if (config.shared) SetFlags(registration, kBufferRingShared);
  if (int rc = io_uring_register_buf_ring(ring.get(), &registration, 0);
      rc < 0) {
    return CallError(-rc, "io_uring_register",
                     "registering a ring of receive buffers");
  }
  return buffers;
}

BufferRing::BufferRing(const Config& config, AlignedBuffer memory,
                       AlignedBuffer ring, ReceiveAccount& account)
    : config_(config),
      n_entries_(std::bit_ceil(config.most)),
      account_(account),
      usual_(config.shared ? std::min(kFewest, config.most) : config.most),
      memory_(std::move(memory)),
      ring_(std::move(ring)),
      buffers_(config.most) {
  removed_.reserve(config.most);
  io_uring_buf_ring_init(this->ring());
  while (made_ < usual_) Make();
  lowest_ = unused_ = available_;
}

std::byte* BufferRing::Lend(uint32_t cqe_flags, size_t n_bytes) {
  const uint32_t id = cqe_flags >> IORING_CQE_BUFFER_SHIFT;
  Buffer& buffer = buffers_[id];
  std::byte* const data = Data(id) + buffer.n_used;
  if (buffer.n_lent++ == 0) account_.Lend(config_.n_bytes);
  buffer.n_used += static_cast<uint32_t>(n_bytes);
  if ((cqe_flags & kCompletionBufferMore) == 0) {
    buffer.in_ring = false;
    lowest_ = std::min(lowest_, --available_);
    unused_ = std::min(unused_, available_);
  }
  return data;
}

void BufferRing::Return(uint32_t id) {
  RINGWAY_CHECK(id < made_ && buffers_[id].n_lent > 0,
                "receive buffer %u was returned twice or never lent", id);
  Buffer& buffer = buffers_[id];
  if (--buffer.n_lent > 0) return;
  account_.Unlend(config_.n_bytes);
  if (buffer.in_ring) return;
  if (++n_returned_ == kWindow) Reconsider();
  if (made_ - removed_.size() > usual_) {
    Retire(id);
  } else {
    Add(id);
  }
}

// Half of what was available all the time was not needed.
void BufferRing::Reconsider() {
  if (config_.shared)
    usual_ -= std::min(lowest_ / 2, usual_ - std::min(usual_, kFewest));
  lowest_ = available_;
  n_returned_ = 0;
}

bool BufferRing::Grow() {
  if (!removed_.empty()) {
    account_.AddBuffer(config_.n_bytes);
    Add(removed_.back());
    removed_.pop_back();
  } else if (made_ < config_.most) {
    Make();
  } else {
    return false;
  }
  ++usual_;
  return true;
}

// A ring is a queue: the kernel takes from its front and only reads the tail.
// So what was added last can be taken out again. Only the first buffer can have
// lent deliveries, and at least kFewest stay.
void BufferRing::Shrink() {
  const uint32_t surplus = unused_ - std::min(unused_, kFewest);
  io_uring_buf_ring* const entries = ring();
  for (uint32_t n = config_.shared ? surplus : 0; n > 0; --n) {
    const uint16_t tail = static_cast<uint16_t>(entries->tail - 1);
    const uint16_t id = entries->bufs[tail & (n_entries_ - 1)].bid;
    io_uring_smp_store_release(&entries->tail, tail);
    buffers_[id].in_ring = false;
    --available_;
    if (usual_ > kFewest) --usual_;
    Retire(id);
  }
  unused_ = available_;
  lowest_ = std::min(lowest_, available_);
}

void BufferRing::Make() {
  account_.AddBuffer(config_.n_bytes);
  Add(made_++);
}

void BufferRing::Add(uint32_t id) {
  buffers_[id].n_used = 0;
  buffers_[id].in_ring = true;
  io_uring_buf_ring_add(ring(), Data(id), config_.n_bytes,
                        static_cast<uint16_t>(id),
                        io_uring_buf_ring_mask(n_entries_), 0);
  io_uring_buf_ring_advance(ring(), 1);
  ++available_;
}

void BufferRing::Retire(uint32_t id) {
  removed_.push_back(id);  // reserved
  memory_.Discard(size_t{id} * config_.n_bytes, config_.n_bytes);
  account_.RemoveBuffer(config_.n_bytes);
}

}  // namespace ringway::uring
