// SPDX-License-Identifier: Apache-2.0

#include "backends/uring/direct_ring.h"

#include "backends/uring/prepare_entry.h"

namespace ringway::uring {

bool DirectRing::Start(Operation& op) {
  if (in_flight_ == ring_->completion_entries()) return false;
  io_uring_sqe* sqe = ring_->NextEntry();
  if (sqe == nullptr) return false;
  PrepareEntry(op, *sqe);
  ++in_flight_;
  return true;
}

}  // namespace ringway::uring
