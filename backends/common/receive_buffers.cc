// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/common/receive_buffers.h"

#include <algorithm>
#include <new>
#include <utility>

#include "absl/status/status.h"
#include "ringway/core/check.h"

namespace ringway {

uint32_t ReceiveLowWater(const BackendOptions& options) {
  if (options.receive_low_water != 0) return options.receive_low_water;
  return ReceiveBufferCounts(options).streams / 4;
}

absl::StatusOr<std::unique_ptr<ReceiveBuffers>> ReceiveBuffers::Create(
    const BackendOptions& options) try {
  // Mapped memory, which becomes resident only when used.
  absl::StatusOr<AlignedBuffer> memory =
      AlignedBuffer::Create(size_t{ReceiveBufferCounts(options).streams} *
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
      shared_(options.share_receive_buffers),
      account_(options.receive_memory_bytes),
      memory_(std::move(memory)),
      buffers_(ReceiveBufferCounts(options).streams),
      own_(options.receive_copy_bytes, account_) {
  warm_.reserve(kMostWarm);
  cold_.reserve(buffers_.size());
  for (size_t id = buffers_.size(); id-- > 0;)
    cold_.push_back(static_cast<uint32_t>(id));
}

bool ReceiveBuffers::ChooseCurrent(uint32_t n_bytes) {
  if (n_free() == 0) return Has(n_bytes);
  // What was the current one becomes free when all of it is returned.
  current_ = TakeFree();
  return true;
}

ReceiveBuffer ReceiveBuffers::TakeOwn(uint32_t n_bytes) {
  const DeliveryMemory::Block block = own_.Allocate(n_bytes);
  ReceiveBuffer taken;
  taken.id = block.id;
  if (block.data != nullptr) taken.bytes = {block.data, n_bytes};
  return taken;
}

ReceiveBuffer ReceiveBuffers::Deliver(const ReceiveBuffer& filled,
                                      size_t n_bytes) {
  ReceiveBuffer delivered = filled;
  delivered.bytes = filled.bytes.first(n_bytes);
  if (filled.own()) return delivered;
  // What can still be received into, were this delivered.
  const uint32_t left =
      available() - (shared_ && n_bytes < filled.bytes.size() ? 0 : 1);
  if (left < low_water_ && Copy(delivered)) return delivered;
  Buffer& buffer = buffers_[filled.id];
  if (buffer.n_lent++ == 0) account_.Lend(n_bytes_);
  buffer.n_used =
      shared_ ? buffer.n_used + static_cast<uint32_t>(n_bytes) : n_bytes_;
  return delivered;
}

bool ReceiveBuffers::Copy(ReceiveBuffer& delivered) {
  const DeliveryMemory::Block copy = own_.Copy(delivered.bytes);
  if (copy.data == nullptr) return false;
  delivered.id = copy.id;
  delivered.bytes = {copy.data, delivered.bytes.size()};
  delivered.copied = true;
  return true;
}

void ReceiveBuffers::Return(uint32_t id) {
  if (DeliveryMemory::Has(id)) {
    own_.Return(id);
    return;
  }
  RINGWAY_CHECK(IsLent(id),
                "receive buffer %u was returned twice or never lent", id);
  Buffer& buffer = buffers_[id];
  if (--buffer.n_lent > 0) return;
  account_.Unlend(n_bytes_);
  buffer.n_used = 0;
  if (id != current_) Free(id);
}

uint32_t ReceiveBuffers::TakeFree() {
  const bool cold = warm_.empty();
  std::vector<uint32_t>& from = cold ? cold_ : warm_;
  const uint32_t id = from.back();
  from.pop_back();
  if (cold) account_.AddBuffer(n_bytes_);
  return id;
}

void ReceiveBuffers::Free(uint32_t id) {
  if (warm_.size() < kMostWarm) {
    warm_.push_back(id);
    return;
  }
  memory_.Discard(size_t{id} * n_bytes_, n_bytes_);
  account_.RemoveBuffer(n_bytes_);
  cold_.push_back(id);
}

}  // namespace ringway
