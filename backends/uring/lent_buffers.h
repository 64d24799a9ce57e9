// SPDX-License-Identifier: Apache-2.0
//
// LentBuffers: what multishot receives deliver in - buffers of a ring, copies
// when those run low, and memory of a receive's own when they run out
// (BackendOptions::receive_low_water, receive_own_bytes).
//
// Datagrams have a ring of their own: in a shared buffer the last one would be
// cut off.

#ifndef RINGWAY_BACKENDS_URING_LENT_BUFFERS_H_
#define RINGWAY_BACKENDS_URING_LENT_BUFFERS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "ringway/backends/backend.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/common/delivery_memory.h"
#include "ringway/backends/common/receive_account.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/uring/buffer_ring.h"
#include "ringway/backends/uring/kernel_ring.h"

namespace ringway::uring {

// The buffer group of a receive.
enum class BufferGroup : uint16_t { kStreams = 0, kDatagrams = 1 };

inline BufferGroup GroupOf(OpCode opcode) {
  return opcode == OpCode::kRecvMultishot ? BufferGroup::kStreams
                                          : BufferGroup::kDatagrams;
}

class LentBuffers {
 public:
  // `may_share`: the kernel's shared buffers work. Must outlive the ring that
  // it is used with: the kernel writes into it.
  LentBuffers(const BackendOptions& options, bool may_share);

  // Makes the buffers for `opcode`, once. Returns 0 or -errno; never throws.
  int32_t Ensure(KernelRing& ring, OpCode opcode);

  // Buffers of `group` that the kernel may still fill.
  uint32_t available(BufferGroup group) const {
    const BufferRing* ring = rings_[static_cast<size_t>(group)].get();
    return ring == nullptr ? 0 : ring->available();
  }

  // Makes one more of them; false if there are as many as there may be.
  bool Grow(OpCode opcode) { return rings_[Index(opcode)]->Grow(); }

  // Points `delivery` at the delivery.result bytes in the buffer that a
  // completion of an `opcode` with `cqe_flags` names, or at a copy of them.
  void Lend(OpCode opcode, uint32_t cqe_flags, Delivery& delivery);

  // Takes the buffer back that such a completion names: there is nothing in it.
  void TakeBack(OpCode opcode, uint32_t cqe_flags);

  // Whether receives get memory of their own instead of waiting for a buffer.
  bool GivesOwn(const Operation& op) const {
    // A recvmsg has its header written by the kernel, into ring buffers only.
    return own_bytes_ > 0 && op.opcode == OpCode::kRecvMultishot;
  }

  // Gives `op` memory of its own for its next attempt. False without memory.
  // Never throws.
  bool GiveOwn(Operation& op);

  // Points `delivery` at the memory that `op` has of its own, which then
  // belongs to the delivery.
  void LendOwn(Operation& op, Delivery& delivery);

  // Takes that memory back if `op` has any: there is nothing in it.
  void TakeBackOwn(Operation& op) {
    if (op.backend.own_buffer == 0) return;
    own_.Return(op.backend.own_buffer);
    op.backend.own_buffer = 0;
  }

  // Takes back what was lent.
  void Return(uint32_t id);

  // As in BufferRing, of the streams' buffers; datagrams keep theirs.
  bool HasSurplus() const {
    const BufferRing* ring = Streams();
    return ring != nullptr && ring->HasSurplus();
  }
  // Requires a receive of a stream before.
  void Shrink() {
    rings_[static_cast<size_t>(BufferGroup::kStreams)]->Shrink();
  }

  uint64_t copied() const { return copied_; }
  const ReceiveMemory& memory() const { return account_.memory(); }

 private:
  // Ids of deliveries: those of a ring's buffers, from here on for the second
  // ring; DeliveryMemory has larger ones.
  static constexpr uint32_t kFirstDatagramId = 32'768;
  static_assert(DeliveryMemory::kFirstId == 2 * kFirstDatagramId);

  static size_t Index(OpCode opcode) {
    return static_cast<size_t>(GroupOf(opcode));
  }
  static uint32_t FirstId(size_t index) {
    return static_cast<uint32_t>(index) * kFirstDatagramId;
  }
  const BufferRing* Streams() const {
    return rings_[static_cast<size_t>(BufferGroup::kStreams)].get();
  }
  void CopyOut(size_t index, Delivery& delivery);

  std::array<BufferRing::Config, 2> configs_;
  const uint32_t own_bytes_;
  std::array<uint32_t, 2> low_water_;
  uint64_t copied_ = 0;
  ReceiveAccount account_;
  DeliveryMemory own_;
  std::array<std::unique_ptr<BufferRing>, 2> rings_;
};

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_LENT_BUFFERS_H_
