// SPDX-License-Identifier: Apache-2.0

#include "ringway/tools/sim/receiver.h"

#include <cerrno>

#include "ringway/backends/prepare.h"
#include "ringway/executor/task/shield.h"

namespace ringway::simulation {

using State = net::internal::ArmedMultishot::State;

Receiver::Receiver(Loop& loop, int fd) : receive_(loop, *this) {
  receive_.Arm(fd, &PrepareRecvMultishot);
}

Task<std::optional<Delivery>> Receiver::Next() {
  Delivery delivery;
  while (!receive_.Take(delivery)) {
    if (!receive_.in_progress()) co_return std::nullopt;
    news_.Reset();
    const absl::Status waited = co_await news_.Wait();
    if (!waited.ok()) co_return std::nullopt;
  }
  co_return delivery;
}

Task<int32_t> Receiver::Stop() {
  Shield shield;
  while (receive_.in_progress()) {
    receive_.Stop();
    news_.Reset();
    static_cast<void>(co_await news_.Wait());
  }
  receive_.DropUntaken();
  const bool stopped = receive_.state() != State::kEnded;
  co_return stopped ? -ECANCELED : receive_.TakeEnd();
}

}  // namespace ringway::simulation
