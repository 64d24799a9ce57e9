// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/lent_buffers.h"

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"

namespace ringway::uring {
namespace {

// Where each delivery has a buffer of its own, large ones are cold memory.
constexpr uint32_t kUnsharedBytes = 32 * 1024;

BufferRing::Config StreamBuffers(const BackendOptions& options,
                                 bool may_share) {
  const bool refused = options.share_receive_buffers && !may_share;
  return {.group = static_cast<uint16_t>(BufferGroup::kStreams),
          .most = ReceiveBufferCounts(options).streams,
          .n_bytes =
              refused ? std::min(options.receive_buffer_bytes, kUnsharedBytes)
                      : options.receive_buffer_bytes,
          .shared = may_share};
}

BufferRing::Config DatagramBuffers(const BackendOptions& options) {
  return {.group = static_cast<uint16_t>(BufferGroup::kDatagrams),
          .most = ReceiveBufferCounts(options).datagrams,
          .n_bytes = DatagramBufferBytes(options),
          .shared = false};
}

}  // namespace

LentBuffers::LentBuffers(const BackendOptions& options, bool may_share)
    : configs_{StreamBuffers(options, may_share), DatagramBuffers(options)},
      own_bytes_(options.receive_own_bytes),
      account_(options.receive_memory_bytes),
      own_(options.receive_copy_bytes, account_) {
  for (size_t i = 0; i < configs_.size(); ++i) {
    low_water_[i] = options.receive_low_water != 0 ? options.receive_low_water
                                                   : configs_[i].most / 4;
  }
}

int32_t LentBuffers::Ensure(KernelRing& ring, OpCode opcode) try {
  const size_t index = Index(opcode);
  if (rings_[index] != nullptr) return 0;
  absl::StatusOr<std::unique_ptr<BufferRing>> made =
      BufferRing::Create(ring, configs_[index], account_);
  if (!made.ok()) {
    const int errnum = ErrnoOf(made.status());
    return errnum != 0 ? -errnum : -ENOMEM;
  }
  rings_[index] = *std::move(made);
  return 0;
} catch (const std::bad_alloc&) {
  return -ENOMEM;
}

void LentBuffers::Lend(OpCode opcode, uint32_t cqe_flags, Delivery& delivery) {
  const size_t index = Index(opcode);
  BufferRing& ring = *rings_[index];
  delivery.buffer_id = FirstId(index) + (cqe_flags >> IORING_CQE_BUFFER_SHIFT);
  delivery.data = ring.Lend(cqe_flags, static_cast<size_t>(delivery.result));
  if (ring.left() < low_water_[index]) {
    CopyOut(index, delivery);
  } else if (ring.IsLow()) {
    ring.Grow();
  }
}

// Few buffers are left: this one is not held, if there is room for a copy.
void LentBuffers::CopyOut(size_t index, Delivery& delivery) {
  const DeliveryMemory::Block copy =
      own_.Copy({delivery.data, static_cast<size_t>(delivery.result)});
  if (copy.data == nullptr) return;
  rings_[index]->Return(delivery.buffer_id - FirstId(index));
  delivery.buffer_id = copy.id;
  delivery.data = copy.data;
  ++copied_;
}

void LentBuffers::TakeBack(OpCode opcode, uint32_t cqe_flags) {
  BufferRing& ring = *rings_[Index(opcode)];
  ring.Lend(cqe_flags, 0);
  ring.Return(cqe_flags >> IORING_CQE_BUFFER_SHIFT);
}

bool LentBuffers::GiveOwn(Operation& op) {
  const DeliveryMemory::Block block = own_.Allocate(own_bytes_);
  if (block.data == nullptr) return false;
  op.backend.own_buffer = block.id;
  op.backend.memory = block.data;
  op.backend.memory_bytes = own_bytes_;
  return true;
}

void LentBuffers::LendOwn(Operation& op, Delivery& delivery) {
  delivery.buffer_id = std::exchange(op.backend.own_buffer, 0);
  delivery.data = own_.Data(delivery.buffer_id);
}

void LentBuffers::Return(uint32_t id) {
  if (DeliveryMemory::Has(id)) {
    own_.Return(id);
    return;
  }
  const size_t index = id / kFirstDatagramId;
  RINGWAY_CHECK(rings_[index] != nullptr,
                "receive buffer %u was returned but none was ever lent", id);
  rings_[index]->Return(id - FirstId(index));
}

}  // namespace ringway::uring
