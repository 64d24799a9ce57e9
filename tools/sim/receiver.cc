// SPDX-License-Identifier: Apache-2.0

#include "tools/sim/receiver.h"

#include "backends/prepare.h"
#include "executor/shield.h"

namespace ringway::simulation {

Receiver::Receiver(Loop& loop, int fd) : loop_(loop), receive_(*this) {
  PrepareRecvMultishot(receive_, fd);
  loop_.Start(receive_);
}

Receiver::~Receiver() { loop_.backend().DropEvents(receive_); }

void Receiver::Receive::OnDelivery(Runnable& entry) {
  auto& delivery = static_cast<MultishotOperation::Delivery&>(entry);
  static_cast<Receive*>(delivery.operation)->receiver.news_.Set();
}

Task<std::optional<MultishotEvent>> Receiver::Next() {
  MultishotEvent event;
  while (!loop_.backend().TakeEvent(receive_, event)) {
    if (ended()) co_return std::nullopt;
    news_.Reset();
    const absl::Status waited = co_await news_.Wait();
    if (!waited.ok()) co_return std::nullopt;
  }
  co_return event;
}

Task<int32_t> Receiver::Stop() {
  Shield shield;
  while (!ended()) {
    loop_.Cancel(receive_);
    news_.Reset();
    static_cast<void>(co_await news_.Wait());
  }
  loop_.backend().DropEvents(receive_);
  co_return receive_.result;
}

}  // namespace ringway::simulation
