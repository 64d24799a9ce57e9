// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/lent_buffers.h"

#include <bit>
#include <cerrno>
#include <new>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"

namespace ringway::uring {
namespace {

uint16_t BufferId(uint32_t cqe_flags) {
  return static_cast<uint16_t>(cqe_flags >> IORING_CQE_BUFFER_SHIFT);
}

}  // namespace

LentBuffers::LentBuffers(const BackendOptions& options)
    : count_(std::bit_ceil(options.receive_buffer_count)),
      n_bytes_(options.receive_buffer_bytes),
      low_water_(options.receive_low_water != 0 ? options.receive_low_water
                                                : count_ / 4),
      copies_(options.receive_copy_bytes) {}

int32_t LentBuffers::Ensure(KernelRing& ring) try {
  if (ring_ != nullptr) return 0;
  absl::StatusOr<std::unique_ptr<BufferRing>> made =
      BufferRing::Create(ring, count_, n_bytes_);
  if (!made.ok()) {
    const int errnum = ErrnoOf(made.status());
    return errnum != 0 ? -errnum : -ENOMEM;
  }
  ring_ = *std::move(made);
  return 0;
} catch (const std::bad_alloc&) {
  return -ENOMEM;
}

void LentBuffers::Lend(uint32_t cqe_flags, Delivery& delivery) {
  delivery.buffer_id = BufferId(cqe_flags);
  delivery.data = ring_->Data(delivery.buffer_id);
  ring_->Lend();
  if (ring_->available() < low_water_) CopyOut(delivery);
}

// Few buffers are left: this one goes back at once, if there is room for a
// copy.
void LentBuffers::CopyOut(Delivery& delivery) {
  const DeliveryCopies::Copy copy =
      copies_.Make({delivery.data, static_cast<size_t>(delivery.result)});
  if (copy.data == nullptr) return;
  ring_->Return(delivery.buffer_id);
  delivery.buffer_id = copy.id;
  delivery.data = copy.data;
  ++copied_;
}

void LentBuffers::TakeBack(uint32_t cqe_flags) {
  ring_->Lend();
  ring_->Return(BufferId(cqe_flags));
}

void LentBuffers::Return(uint16_t id) {
  if (DeliveryCopies::IsCopy(id)) {
    copies_.Return(id);
    return;
  }
  RINGWAY_CHECK(ring_ != nullptr,
                "receive buffer %u was returned but none was ever lent",
                unsigned{id});
  ring_->Return(id);
}

}  // namespace ringway::uring
