// SPDX-License-Identifier: Apache-2.0
//
// LentBuffers: what multishot receives deliver in - buffers of the ring, and
// copies when those run low (BackendOptions::receive_low_water).

#ifndef RINGWAY_BACKENDS_URING_LENT_BUFFERS_H_
#define RINGWAY_BACKENDS_URING_LENT_BUFFERS_H_

#include <cstdint>
#include <memory>

#include "ringway/backends/backend_options.h"
#include "ringway/backends/common/delivery_copies.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/uring/buffer_ring.h"
#include "ringway/backends/uring/kernel_ring.h"

namespace ringway::uring {

class LentBuffers {
 public:
  // Must outlive the ring that it is used with: the kernel writes into it.
  explicit LentBuffers(const BackendOptions& options);

  // Makes the buffers, once. Returns 0 or -errno; never throws.
  int32_t Ensure(KernelRing& ring);

  // Buffers the kernel may still fill.
  uint32_t available() const {
    return ring_ == nullptr ? 0 : ring_->available();
  }

  // Points `delivery` at the delivery.result bytes in the buffer that a
  // completion with `cqe_flags` names, or at a copy of them.
  void Lend(uint32_t cqe_flags, Delivery& delivery);

  // Takes the buffer back that such a completion names: there is nothing in it.
  void TakeBack(uint32_t cqe_flags);

  // Takes back what Lend() lent.
  void Return(uint16_t id);

  uint64_t copied() const { return copied_; }

 private:
  void CopyOut(Delivery& delivery);

  const uint32_t count_;
  const uint32_t n_bytes_;
  const uint32_t low_water_;
  uint64_t copied_ = 0;
  DeliveryCopies copies_;
  std::unique_ptr<BufferRing> ring_;
};

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_LENT_BUFFERS_H_
