// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/loop/operation_deadline.h"

#include <cerrno>

#include "ringway/core/check.h"

namespace ringway {

OperationDeadline::OperationDeadline(Loop& loop) : loop_(loop), expiry_(*this) {
  timer_.on_fired = &expiry_;
}

OperationDeadline::~OperationDeadline() { Clear(); }

void OperationDeadline::Set(Operation& op, MonotonicTime deadline) {
  RINGWAY_CHECK(op.active(), "a deadline for a %s operation that is not active",
                OpCodeName(op.opcode));
  Clear();
  operation_ = &op;
  expired_ = false;
  // The loop's time is that of the turn's start: a deadline that is between the
  // two has passed all the same, and the timer sees to it in the next turn.
  if (deadline <= loop_.now()) {
    Expire();
  } else {
    loop_.ArmTimer(timer_, deadline);
  }
}

void OperationDeadline::Clear() {
  // Where the loop has ended, or nothing was ever set, there is none to take.
  if (timer_.armed()) loop_.DisarmTimer(timer_);
  if (expiry_.linked()) expiry_.Unlink();
  operation_ = nullptr;
}

int32_t OperationDeadline::Settle(const Operation& op) {
  Clear();
  return expired_ && op.result == -ECANCELED ? -ETIME : op.result;
}

void OperationDeadline::Expiry::Run(Runnable& entry) {
  static_cast<Expiry&>(entry).owner.Expire();
}

void OperationDeadline::Expire() {
  // It may have ended in the meantime, and its function not have run yet.
  expired_ = operation_->active() && !operation_->cancel_requested;
  if (expired_) loop_.Cancel(*operation_);
}

}  // namespace ringway
