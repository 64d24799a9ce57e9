// SPDX-License-Identifier: Apache-2.0
//
// DirectRing: a second ring for direct reads and writes, whose completions are
// polled for in the device's queues (IORING_SETUP_IOPOLL) instead of
// interrupting.
//
// It is separate because such a ring refuses all other operations. It needs a
// device with poll queues (nvme.poll_queues); others return EOPNOTSUPP. It is
// made with the first transfer, so that it costs nothing where there is none.

#ifndef RINGWAY_BACKENDS_URING_DIRECT_RING_H_
#define RINGWAY_BACKENDS_URING_DIRECT_RING_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "ringway/backends/backend_options.h"
#include "ringway/backends/operation.h"
#include "ringway/backends/uring/kernel_ring.h"

namespace ringway::uring {

class DirectRing {
 public:
  enum class Start : uint8_t {
    kStarted,
    kNotHere,  // the other ring is to do it
    kRefused,  // it must be polled for, and cannot be
  };

  DirectRing(const KernelRing::Config& config, DirectPolling polling)
      : config_(config), polling_(polling) {}

  // Makes the ring now. Errors: as KernelRing::Create().
  absl::Status Make();

  // True while it must be polled.
  bool busy() const { return in_flight_ > 0; }

  // Starts `op` if it is a direct transfer to be polled for and there is room
  // before the next Poll().
  Start TryToStart(Operation& op) {
    return polling_ == DirectPolling::kOff ? Start::kNotHere : Try(op);
  }

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

  // True if the other ring is to do `op`, whose result this is: its device is
  // not polled. From then on so are all transfers that need not be polled for.
  bool FallsBack(const Operation& op, int32_t result);

  // Transfers that were not polled for.
  uint64_t refused() const { return refused_; }

  void ForgetInChild() {
    if (ring_ != nullptr) ring_->ForgetInChild();
  }

 private:
  bool MustPoll(const Operation& op) const;
  bool IsThere();
  Start Try(Operation& op);
  Start Refuse(const Operation& op);
  void Enter();

  const KernelRing::Config config_;
  const DirectPolling polling_;
  bool given_up_ = false;  // it cannot be made, or a device refused
  std::unique_ptr<KernelRing> ring_;
  uint32_t in_flight_ = 0;
  uint64_t refused_ = 0;
};

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_DIRECT_RING_H_
