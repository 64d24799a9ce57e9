// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/armed_multishot.h"

#include <cerrno>
#include <utility>

#include "ringway/core/check.h"

namespace ringway::net::internal {

void ArmedMultishot::CheckIdle() const {
  RINGWAY_CHECK(state() == State::kIdle,
                "a %s operation on fd %d was armed before its end was handled",
                OpCodeName(opcode), fd);
}

void ArmedMultishot::Stop() {
  if (state() != State::kArmed) return;
  // An operation that has ended by itself does not count as stopped; its
  // result stands.
  stop_requested_ = loop_.Cancel(*this) != CancelOutcome::kNotFound;
}

int32_t ArmedMultishot::TakeEnd() {
  RINGWAY_CHECK(state() == State::kEnded,
                "a %s operation on fd %d has no end to take",
                OpCodeName(opcode), fd);
  ended_ = false;
  return result;
}

void ArmedMultishot::OnDelivery(Runnable& entry) {
  auto& notice = static_cast<DeliveringOperation::Notice&>(entry);
  ArmedMultishot& self = *static_cast<ArmedMultishot*>(notice.operation);
  if (!self.active()) {
    const bool stopped =
        std::exchange(self.stop_requested_, false) && self.result == -ECANCELED;
    self.ended_ = !stopped;
  }
  self.on_news_(self);
}

}  // namespace ringway::net::internal
