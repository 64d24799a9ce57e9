// SPDX-License-Identifier: Apache-2.0
//
// DirectRing: a second ring for direct reads and writes, whose completions are
// polled for in the device's queues (IORING_SETUP_IOPOLL) instead of
// interrupting.
//
// It is separate because such a ring refuses all other operations. It needs a
// device with poll queues (nvme.poll_queues); others return EOPNOTSUPP.

#ifndef RINGWAY_BACKENDS_URING_DIRECT_RING_H_
#define RINGWAY_BACKENDS_URING_DIRECT_RING_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "ringway/backends/operation.h"
#include "ringway/backends/uring/kernel_ring.h"

namespace ringway::uring {

class DirectRing {
 public:
  explicit DirectRing(std::unique_ptr<KernelRing> ring)
      : ring_(std::move(ring)) {}

  // True while it must be polled.
  bool busy() const { return in_flight_ > 0; }

  // Starts `op`, a read or a write; false if there is no room before the next
  // Poll().
  bool Start(Operation& op);

  // Polls for completions once, without waiting, and calls `visit(Operation&,
  // int32_t result)` for each. One system call.
  template <typename Visitor>
  void Poll(Visitor&& visit) {
    Enter();
    in_flight_ -= ring_->Reap([&](const io_uring_cqe& cqe) {
      visit(
          *reinterpret_cast<Operation*>(static_cast<uintptr_t>(cqe.user_data)),
          cqe.res);
    });
  }

  void ForgetInChild() { ring_->ForgetInChild(); }

 private:
  void Enter();

  std::unique_ptr<KernelRing> ring_;
  uint32_t in_flight_ = 0;
};

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_DIRECT_RING_H_
