// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/buffer_ring.h"

#include <unistd.h>

#include <algorithm>
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
    KernelRing& ring, const Config& config) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  // Mapped memory, which becomes resident only when used.
  absl::StatusOr<AlignedBuffer> memory =
      AlignedBuffer::Create(size_t{config.most} * config.n_bytes, page);
  if (!memory.ok()) return memory.status();
  absl::StatusOr<AlignedBuffer> entries =
      AlignedBuffer::Create(config.most * sizeof(io_uring_buf), page);
  if (!entries.ok()) return entries.status();
  std::unique_ptr<BufferRing> buffers(
      new BufferRing(config, *std::move(memory), *std::move(entries)));

  io_uring_buf_reg registration = {};
  registration.ring_addr = reinterpret_cast<uintptr_t>(buffers->ring());
  registration.ring_entries = config.most;
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
                       AlignedBuffer ring)
    : config_(config),
      usual_(config.shared ? std::min(kFewest, config.most) : config.most),
      memory_(std::move(memory)),
      ring_(std::move(ring)),
      buffers_(config.most) {
  removed_.reserve(config.most);
  io_uring_buf_ring_init(this->ring());
  while (made_ < usual_) Add(made_++);
  lowest_ = available_;
}

std::byte* BufferRing::Lend(uint32_t cqe_flags, size_t n_bytes) {
  const uint32_t id = cqe_flags >> IORING_CQE_BUFFER_SHIFT;
  Buffer& buffer = buffers_[id];
  std::byte* const data = Data(id) + buffer.n_used;
  ++buffer.n_lent;
  buffer.n_used += static_cast<uint32_t>(n_bytes);
  if ((cqe_flags & kCompletionBufferMore) == 0) {
    buffer.in_ring = false;
    lowest_ = std::min(lowest_, --available_);
  }
  return data;
}

void BufferRing::Return(uint32_t id) {
  RINGWAY_CHECK(id < made_ && buffers_[id].n_lent > 0,
                "receive buffer %u was returned twice or never lent", id);
  Buffer& buffer = buffers_[id];
  if (--buffer.n_lent > 0 || buffer.in_ring) return;
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
    Add(removed_.back());
    removed_.pop_back();
  } else if (made_ < config_.most) {
    Add(made_++);
  } else {
    return false;
  }
  ++usual_;
  return true;
}

void BufferRing::Add(uint32_t id) {
  buffers_[id].n_used = 0;
  buffers_[id].in_ring = true;
  io_uring_buf_ring_add(ring(), Data(id), config_.n_bytes,
                        static_cast<uint16_t>(id),
                        io_uring_buf_ring_mask(config_.most), 0);
  io_uring_buf_ring_advance(ring(), 1);
  ++available_;
}

void BufferRing::Retire(uint32_t id) {
  removed_.push_back(id);  // reserved
  memory_.Discard(size_t{id} * config_.n_bytes, config_.n_bytes);
}

}  // namespace ringway::uring
