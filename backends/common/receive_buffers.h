// SPDX-License-Identifier: Apache-2.0
//
// ReceiveBuffers: the buffers of multishot receives, for backends that fill
// them in user space.
//
// The cycle of a buffer: free -> current, receives are put into it -> full ->
// returned by all that it was lent to. If buffers are shared
// (BackendOptions::share_receive_buffers), a receive is put behind the one
// before, and the buffer is used from its beginning again as soon as nothing
// in it is lent, while it is in the cache. Otherwise it is full after one.
//
// When few buffers are left, a copy is delivered. When none is left, a receive
// is given memory of its own, or waits.

#ifndef RINGWAY_BACKENDS_COMMON_RECEIVE_BUFFERS_H_
#define RINGWAY_BACKENDS_COMMON_RECEIVE_BUFFERS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/common/delivery_memory.h"
#include "ringway/backends/common/receive_account.h"
#include "ringway/backends/opcode.h"
#include "ringway/core/memory/aligned_buffer.h"

namespace ringway {

// The least memory that a receive of `opcode` needs, if buffers are as large: a
// datagram that does not fit is cut off.
inline uint32_t ReceiveBytesNeeded(OpCode opcode) {
  return opcode == OpCode::kRecvMsgMultishot ? kDatagramBufferBytes : 1;
}

// The size of memory of its own for one, of `options`.
inline uint32_t ReceiveOwnBytes(const BackendOptions& options, OpCode opcode) {
  return opcode == OpCode::kRecvMsgMultishot ? DatagramBufferBytes(options)
                                             : options.receive_own_bytes;
}

// When fewer receive buffers than this are left, deliveries are copied.
uint32_t ReceiveLowWater(const BackendOptions& options);

struct ReceiveBuffer {
  uint32_t id = 0;
  std::span<std::byte> bytes;
  bool copied = false;

  // In memory of the delivery's own.
  bool own() const { return DeliveryMemory::Has(id); }
};

class ReceiveBuffers {
 public:
  // Number and size are those of `options`. ResourceExhausted without memory;
  // never throws.
  static absl::StatusOr<std::unique_ptr<ReceiveBuffers>> Create(
      const BackendOptions& options);

  // The number of buffers that something can be received into now.
  uint32_t available() const {
    return n_free() + (current_ != kNone && Room(current_) > 0 ? 1 : 0);
  }

  // True if `n_bytes`, or a whole buffer if that is less, can be received now.
  bool Has(uint32_t n_bytes) const {
    return n_free() > 0 ||
           (current_ != kNone && Room(current_) >= std::min(n_bytes, n_bytes_));
  }

  // Where to receive next. For one attempt: Deliver() or Discard() follows
  // before the next Take(). Without bytes unless Has(n_bytes).
  ReceiveBuffer Take(uint32_t n_bytes) {
    if (current_ == kNone || Room(current_) < LeastRoom(n_bytes)) {
      if (!ChooseCurrent(n_bytes)) return {};
    }
    ReceiveBuffer taken;
    taken.id = current_;
    taken.bytes = {memory_.data() + size_t{current_} * n_bytes_ +
                       buffers_[current_].n_used,
                   Room(current_)};
    return taken;
  }

  // Memory of its own for a receive of `n_bytes`, to be delivered or discarded
  // like a taken buffer; without bytes if there is no memory. Never throws.
  ReceiveBuffer TakeOwn(uint32_t n_bytes);

  // What to deliver for the first `n_bytes` of `filled`, which was taken:
  // themselves or a copy. Lent until Return().
  ReceiveBuffer Deliver(const ReceiveBuffer& filled, size_t n_bytes);

  // Nothing was received into `taken`.
  void Discard(const ReceiveBuffer& taken) {
    if (taken.own()) own_.Return(taken.id);
  }

  // Takes back what one Deliver() lent (checked).
  void Return(uint32_t id);

  // True if something in buffer `id` is lent.
  bool IsLent(uint32_t id) const {
    return DeliveryMemory::Has(id)
               ? own_.Holds(id)
               : id < buffers_.size() && buffers_[id].n_lent > 0;
  }

  const ReceiveMemory& memory() const { return account_.memory(); }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr size_t kMostWarm = 16;

  struct Buffer {
    uint32_t n_used = 0;  // bytes that were received since it was free
    uint32_t n_lent = 0;  // deliveries
  };

  ReceiveBuffers(const BackendOptions& options, AlignedBuffer memory);

  uint32_t n_free() const {
    return static_cast<uint32_t>(warm_.size() + cold_.size());
  }
  uint32_t Room(uint32_t id) const {
    const uint32_t n_used = buffers_[id].n_used;
    return shared_ || n_used == 0 ? n_bytes_ - n_used : 0;
  }
  // Least room for which a buffer stays the current one, though another is
  // free: so that messages are not cut into small pieces.
  uint32_t LeastRoom(uint32_t n_bytes) const {
    return std::max(std::min(n_bytes, n_bytes_), n_bytes_ / 8);
  }
  // Makes a free buffer the current one, or leaves that, if it has room for
  // `n_bytes`. False if there is neither.
  bool ChooseCurrent(uint32_t n_bytes);
  uint32_t TakeFree();
  void Free(uint32_t id);
  // Makes `delivered` a copy. False if there is no memory for one.
  bool Copy(ReceiveBuffer& delivered);

  const uint32_t n_bytes_;
  const uint32_t low_water_;
  const bool shared_;
  ReceiveAccount account_;
  AlignedBuffer memory_;
  std::vector<Buffer> buffers_;  // by id
  // Free ones: the one that became free last is used first. The memory of cold
  // ones has been given back to the system.
  std::vector<uint32_t> warm_;
  std::vector<uint32_t> cold_;
  uint32_t current_ = kNone;
  DeliveryMemory own_;
};

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_RECEIVE_BUFFERS_H_
