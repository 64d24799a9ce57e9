// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/listening/accept_wait.h"

#include <cstdint>
#include <utility>

#include "ringway/core/cancelled_status.h"
#include "ringway/core/errno_status.h"
#include "ringway/core/usdt.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/net/listening/listener_core.h"

namespace ringway::net::internal {

AcceptWait::AcceptWait(ListenerCore* core, const char* handle)
    : QueuedWait(&Describe),
      core_(core),
      unusable_(LoopDependent::WhyUnusable(core, handle)) {}

AcceptWait::WaitEnd AcceptWait::Admit() {
  if (unusable_ != Unusable::kNo) return WaitEnd::kUnusable;
  core_->CheckAwaitedOn(task().loop(), core_->handle());
  return WaitEnd::kWaiting;
}

AcceptWait::WaitEnd AcceptWait::Begin() {
  const int32_t accepted = core_->TakeForNewcomer();
  if (accepted == ListenerCore::kNone) {
    core_->Wait(*this);
    return WaitEnd::kWaiting;
  }
  SetResult(accepted);
  return WaitEnd::kServed;
}

void AcceptWait::SetResult(int32_t result) {
  if (result >= 0) {
    accepted_ = SocketFd(task().loop().backend().sockets(), result);
  } else {
    error_ = result;
  }
}

std::string AcceptWait::Describe(const Suspension& suspension) {
  return Of(suspension).core_->DescribeWithLocal("accept on ");
}

absl::StatusOr<SocketFd> AcceptWait::TakeAccepted() {
  if (unusable_ == Unusable::kLoopEnded)
    return UnusableStatus(unusable_, "listener");
  if (unusable_ == Unusable::kEmpty || cancelled()) return CancelledStatus();
  if (error_ < 0) return ErrnoToStatus(-error_, "accept");
  RINGWAY_PROBE1(accept, static_cast<int64_t>(accepted_.get()));
  return std::move(accepted_);
}

}  // namespace ringway::net::internal
