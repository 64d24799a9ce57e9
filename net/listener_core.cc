// SPDX-License-Identifier: Apache-2.0

#include "net/listener_core.h"

#include <cerrno>
#include <utility>

#include "absl/time/time.h"
#include "backends/prepare.h"

namespace ringway::net::internal {
namespace {

// Long enough to cost nothing while fds are short, short enough to go unnoticed
// when they are not.
constexpr absl::Duration kRetryAfter = absl::Milliseconds(20);

// Errors of the listening socket itself. Everything else accept(2) may say is
// about one connection, or about a resource that others will give back.
bool IsFatal(int errnum) {
  return errnum == EBADF || errnum == EINVAL || errnum == ENOTSOCK ||
         errnum == EFAULT;
}

}  // namespace

ListenerCore::~ListenerCore() {
  loop_.DisarmTimer(retry_.timer);
  if (retry_.linked()) retry_.Unlink();
  loop_.backend().DropEvents(accept_);
}

int ListenerCore::TakeAccepted() {
  MultishotEvent event;
  return loop_.backend().TakeEvent(accept_, event) ? event.result : -1;
}

void ListenerCore::Wait(AcceptOp& waiter) {
  waiters_.PushBack(waiter);
  if (!accept_.active() && !retry_.timer.armed() && !retry_.linked()) Arm();
}

void ListenerCore::Arm() {
  PrepareAcceptMultishot(accept_, fd_.get());
  loop_.Start(accept_);
}

void ListenerCore::Abandon(std::unique_ptr<ListenerCore> core) {
  ListenerCore& self = *core;
  self.abandoned_ = true;
  self.FailAll(-ECANCELED);
  self.loop_.Adopt(std::move(core));
  if (self.accept_.active()) {
    self.loop_.Cancel(self.accept_);
  } else if (!self.accept_.delivery.linked()) {
    self.loop_.Bury(self);
  }  // else the accept has just ended and OnDelivery() is about to run
}

void ListenerCore::FailAll(int32_t result) {
  while (AcceptOp* waiter = waiters_.PopFront()) waiter->Complete(result);
}

void ListenerCore::AcceptOperation::OnDelivery(Runnable& entry) {
  auto& delivery = static_cast<MultishotOperation::Delivery&>(entry);
  static_cast<AcceptOperation*>(delivery.operation)->core.OnDelivery();
}

void ListenerCore::OnDelivery() {
  if (abandoned_) {
    if (!accept_.active()) loop_.Bury(*this);
    return;
  }
  while (!waiters_.empty()) {
    const int accepted = TakeAccepted();
    if (accepted < 0) break;
    waiters_.PopFront()->Complete(accepted);
  }
  if (!accept_.active()) {
    OnEnd(accept_.result);
  } else if (accept_.event_count >= kMaxUntaken && !pausing_) {
    pausing_ = true;
    loop_.Cancel(accept_);
  }
}

void ListenerCore::OnEnd(int32_t result) {
  const bool paused = std::exchange(pausing_, false) && result == -ECANCELED;
  if (IsFatal(-result)) {
    FailAll(result);
  } else if (paused || result == -ECONNABORTED || result == -EINTR ||
             result == -EPROTO) {
    if (!waiters_.empty()) Arm();
  } else {
    loop_.ArmTimer(retry_.timer, loop_.now() + kRetryAfter);
  }
}

void ListenerCore::Retry::OnTime(Runnable& entry) {
  ListenerCore& core = static_cast<Retry&>(entry).core;
  if (!core.waiters_.empty() && !core.accept_.active()) core.Arm();
}

}  // namespace ringway::net::internal
