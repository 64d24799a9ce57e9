// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/remote/wake_message.h"

#include <utility>

namespace ringway::internal {

WakeMessage::WakeMessage(Executor& executor)
    : InboxMessage(&Received), home_(executor) {}

void WakeMessage::Send() {
  // A message that is on its way will do for this wake-up, too: it is marked
  // as received before OnWoken() runs. Once one was refused for good the mark
  // stays.
  if (sent_.exchange(true, std::memory_order_acq_rel)) return;
  self_ = shared_from_this();
  if (!home_.Send(*this)) self_.reset();
}

void WakeMessage::Received(InboxMessage& message, bool accepted) {
  WakeMessage& self = static_cast<WakeMessage&>(message);
  const std::shared_ptr<WakeMessage> keep = std::move(self.self_);
  if (!accepted) return;
  // An exchange, so that OnWoken() sees what every thread had written whose
  // exchange found the mark set.
  self.sent_.exchange(false, std::memory_order_acq_rel);
  self.OnWoken();
}

}  // namespace ringway::internal
