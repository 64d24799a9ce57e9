// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/direct_ring.h"

#include <cerrno>
#include <cstring>

#include "ringway/backends/uring/prepare_entry.h"
#include "ringway/core/check.h"

namespace ringway::uring {

void DirectRing::Enter() {
  const int rc = ring_->Enter(/*block=*/false, nullptr);
  if (rc >= 0) return;
  switch (-rc) {
    case EINTR:
    case EBUSY:
    case EAGAIN:
    case ENOMEM:
      return;  // entries not accepted stay in the queue for the next Poll()
    default:
      RINGWAY_CHECK(false, "io_uring_enter of a polled ring failed: %s",
                    strerror(-rc));
  }
}

bool DirectRing::Start(Operation& op) {
  if (in_flight_ == ring_->completion_entries()) return false;
  io_uring_sqe* sqe = ring_->NextEntry();
  if (sqe == nullptr) return false;
  PrepareEntry(op, *sqe);
  ++in_flight_;
  return true;
}

}  // namespace ringway::uring
