// SPDX-License-Identifier: Apache-2.0

#include "ringway/backends/uring/cancel_requests.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ringway::uring {

// A request identifies its target by address. If the target ends before the
// kernel reads the request, the request finds nothing. Reuse of the memory is
// safe: a later operation at this address is queued behind the request.
void CancelRequests::Submit(KernelRing& ring, MonotonicTime now) {
  if (again_at_ <= now) {
    again_at_ = MonotonicTime::Infinite();
    to_ask_.Append(asked_);
  }
  while (Operation* op = to_ask_.front()) {
    const uint64_t address = reinterpret_cast<uintptr_t>(op);
    const EndWatch watch = op->backend.end_watch;
    const uint64_t tag = watch == EndWatch::kAwaited ? kEndWatchTag : 0;
    if (!Ask(ring, address + tag)) return;
    op->Unlink();
    asked_.PushBack(*op);
    // Without room for that the watch is cancelled once `op` has ended.
    if (watch == EndWatch::kArmed && !Ask(ring, address + kEndWatchTag)) return;
  }
}

// False without a free entry.
bool CancelRequests::Ask(KernelRing& ring, uint64_t target) {
  io_uring_sqe* sqe = ring.NextEntry();
  if (sqe == nullptr) return false;
  io_uring_prep_cancel64(sqe, target, 0);
  sqe->user_data = user_data_;
  return true;
}

void CancelRequests::OnOutcome(int32_t result) {
  missed_ |= result == -ENOENT || result == -EALREADY;
}

void CancelRequests::AfterReap(const Clock& clock) {
  const bool missed = std::exchange(missed_, false);
  if (asked_.empty()) {
    again_at_ = MonotonicTime::Infinite();
    pause_ = kShortestPause;
  } else if (missed && again_at_.is_infinite()) {
    again_at_ = clock.Now() + pause_;
    pause_ = std::min(2 * pause_, kLongestPause);
  }
}

void CancelRequests::ForgetInChild() {
  for (OperationList* list : {&to_ask_, &asked_}) {
    while (Operation* op = list->PopFront()) op->state = OpState::kDone;
  }
}

}  // namespace ringway::uring
