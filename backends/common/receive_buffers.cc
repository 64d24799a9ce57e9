// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/receive_buffers.h"

#include <bit>
#include <new>
#include <utility>

#include "absl/status/status.h"
#include "ringway/core/check.h"

namespace ringway {

uint32_t ReceiveLowWater(const BackendOptions& options) {
  if (options.receive_low_water != 0) return options.receive_low_water;
  return std::bit_ceil(options.receive_buffer_count) / 4;
}

absl::StatusOr<std::unique_ptr<ReceiveBuffers>> ReceiveBuffers::Create(
    const BackendOptions& options) try {
  // Mapped memory, which becomes resident only when used.
  absl::StatusOr<AlignedBuffer> memory = AlignedBuffer::Create(
      size_t{std::bit_ceil(options.receive_buffer_count)} *
          options.receive_buffer_bytes,
      /*alignment=*/4096);
  if (!memory.ok()) return memory.status();
  return std::unique_ptr<ReceiveBuffers>(
      new ReceiveBuffers(options, *std::move(memory)));
} catch (const std::bad_alloc&) {
  return absl::Status(absl::StatusCode::kResourceExhausted, "");
}

ReceiveBuffers::ReceiveBuffers(const BackendOptions& options,
                               AlignedBuffer memory)
    : n_bytes_(options.receive_buffer_bytes),
      low_water_(ReceiveLowWater(options)),
      memory_(std::move(memory)),
      lent_(std::bit_ceil(options.receive_buffer_count), false),
      copies_(options.receive_copy_bytes) {
  free_.reserve(lent_.size());
  for (size_t id = lent_.size(); id-- > 0;) {
    free_.push_back(static_cast<uint16_t>(id));
  }
}

ReceiveBuffer ReceiveBuffers::Take() {
  RINGWAY_CHECK(!free_.empty(), "no receive buffer is left");
  ReceiveBuffer buffer;
  buffer.id = free_.back();
  buffer.bytes = memory_.span().subspan(size_t{buffer.id} * n_bytes_, n_bytes_);
  free_.pop_back();
  lent_[buffer.id] = true;
  return buffer;
}

ReceiveBuffer ReceiveBuffers::Deliver(const ReceiveBuffer& filled,
                                      size_t n_bytes) {
  ReceiveBuffer delivered = filled;
  delivered.bytes = filled.bytes.first(n_bytes);
  if (available() >= low_water_) return delivered;
  const DeliveryCopies::Copy copy = copies_.Make(delivered.bytes);
  if (copy.data == nullptr) return delivered;
  Return(filled.id);
  delivered.id = copy.id;
  delivered.bytes = {copy.data, n_bytes};
  delivered.copied = true;
  return delivered;
}

void ReceiveBuffers::Return(uint16_t id) {
  if (DeliveryCopies::IsCopy(id)) {
    copies_.Return(id);
    return;
  }
  RINGWAY_CHECK(id < lent_.size() && lent_[id],
                "receive buffer %u was returned twice or never lent",
                unsigned{id});
  lent_[id] = false;
  free_.push_back(id);
}

}  // namespace ringway
