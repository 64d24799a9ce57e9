// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/armed_multishot.h"

#include <cerrno>
#include <utility>

#include "ringway/core/check.h"

namespace ringway::net::internal {

void ArmedMultishot::CheckIdle() const {
  RINGWAY_CHECK(state() == State::kIdle,
                "a %s operation on fd %d was armed before its end was handled",
                OpCodeName(operation_.opcode), operation_.fd);
}

void ArmedMultishot::Stop() {
  if (state() != State::kArmed) return;
  // An operation that has ended by itself does not count as stopped; its
  // result stands.
  stop_requested_ = loop_.Cancel(operation_) != CancelOutcome::kNotFound;
}

int32_t ArmedMultishot::TakeEnd() {
  RINGWAY_CHECK(state() == State::kEnded,
                "a %s operation on fd %d has no end to take",
                OpCodeName(operation_.opcode), operation_.fd);
  ended_ = false;
  return operation_.result;
}

void ArmedMultishot::OnDelivery(Runnable& entry) {
  auto& notice = static_cast<DeliveringOperation::Notice&>(entry);
  Multishot& operation = *static_cast<Multishot*>(notice.operation);
  ArmedMultishot& self = operation.owner;
  if (!operation.active()) {
    const bool stopped = std::exchange(self.stop_requested_, false) &&
                         operation.result == -ECANCELED;
    self.ended_ = !stopped;
  }
  self.on_news_(self);
}

}  // namespace ringway::net::internal
