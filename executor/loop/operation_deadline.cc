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
  // loop_.now() is the start of the turn. A deadline between that and the
  // actual time has passed too; its timer fires in the next turn.
  if (deadline <= loop_.now()) {
    Expire();
  } else {
    loop_.ArmTimer(timer_, deadline);
  }
}

void OperationDeadline::Clear() {
  // The timer is not armed if the loop has ended or no deadline was set.
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
  // It may have ended meanwhile although its function has not run yet.
  expired_ = operation_->active() && !operation_->cancel_requested;
  if (expired_) loop_.Cancel(*operation_);
}

}  // namespace ringway
