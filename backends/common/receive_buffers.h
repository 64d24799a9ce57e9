// SPDX-License-Identifier: Apache-2.0
//
// ReceiveBuffers: the buffers of multishot receives, for backends that fill
// them in user space.
//
// The cycle of a buffer: taken -> filled -> delivered -> returned. When few
// are left, a copy is delivered and the buffer is returned at once.

#ifndef RINGWAY_BACKENDS_COMMON_RECEIVE_BUFFERS_H_
#define RINGWAY_BACKENDS_COMMON_RECEIVE_BUFFERS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/common/delivery_copies.h"
#include "ringway/core/memory/aligned_buffer.h"

namespace ringway {

// When fewer receive buffers than this are left, deliveries are copied.
uint32_t ReceiveLowWater(const BackendOptions& options);

struct ReceiveBuffer {
  uint16_t id = 0;
  std::span<std::byte> bytes;
  bool copied = false;
};

class ReceiveBuffers {
 public:
  // Number and size are those of `options`. ResourceExhausted without memory;
  // never throws.
  static absl::StatusOr<std::unique_ptr<ReceiveBuffers>> Create(
      const BackendOptions& options);

  // The number of buffers that can be taken now.
  uint32_t available() const { return static_cast<uint32_t>(free_.size()); }

  // The buffer returned last, which is most likely in the cache. Requires
  // available() > 0.
  ReceiveBuffer Take();

  // Takes ownership of `filled`, a taken buffer, and returns the buffer to
  // deliver for its first `n_bytes`: itself or a copy.
  ReceiveBuffer Deliver(const ReceiveBuffer& filled, size_t n_bytes);

  // Takes back a buffer or a copy. Requires that it is lent (checked).
  void Return(uint16_t id);

 private:
  ReceiveBuffers(const BackendOptions& options, AlignedBuffer memory);

  const uint32_t n_bytes_;
  const uint32_t low_water_;
  AlignedBuffer memory_;
  std::vector<uint16_t> free_;
  std::vector<bool> lent_;  // by id
  DeliveryCopies copies_;
};

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_RECEIVE_BUFFERS_H_
