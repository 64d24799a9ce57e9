// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/direct_ring.h"

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "absl/status/statusor.h"
#include "ringway/backends/prepare.h"
#include "ringway/backends/uring/prepare_entry.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"

namespace ringway::uring {
namespace {

bool IsDirectTransfer(const Operation& op) {
  return (op.opcode == OpCode::kRead || op.opcode == OpCode::kWrite) &&
         (op.flags & (kDirectIo | kNeverPoll)) == kDirectIo;
}

}  // namespace

absl::Status DirectRing::Make() {
  try {
    absl::StatusOr<std::unique_ptr<KernelRing>> ring =
        KernelRing::Create(config_);
    if (!ring.ok()) return ring.status();
    ring_ = *std::move(ring);
    return absl::OkStatus();
  } catch (const std::bad_alloc&) {
    return ErrnoToStatus(ENOMEM, "a ring that polls");
  }
}

// Why it cannot be made does not matter: the other ring does the same.
bool DirectRing::IsThere() {
  if (ring_ == nullptr && !given_up_) given_up_ = !Make().ok();
  return ring_ != nullptr;
}

bool DirectRing::MustPoll(const Operation& op) const {
  return polling_ == DirectPolling::kRequired || (op.flags & kMustPoll) != 0;
}

DirectRing::Start DirectRing::Refuse(const Operation& op) {
  ++refused_;
  return MustPoll(op) ? Start::kRefused : Start::kNotHere;
}

DirectRing::Start DirectRing::Try(Operation& op) {
  if (!IsDirectTransfer(op)) return Start::kNotHere;
  if (!IsThere() || (given_up_ && !MustPoll(op))) return Refuse(op);
  if (in_flight_ == ring_->completion_entries()) return Start::kNotHere;
  io_uring_sqe* sqe = ring_->NextEntry();
  if (sqe == nullptr) return Start::kNotHere;
  PrepareEntry(op, *sqe);
  ++in_flight_;
  return Start::kStarted;
}

bool DirectRing::FallsBack(const Operation& op, int32_t result) {
  if (result != -EOPNOTSUPP) return false;
  if (MustPoll(op)) {
    ++refused_;
    return false;
  }
  given_up_ = true;  // the next attempt counts it
  return true;
}

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

}  // namespace ringway::uring
