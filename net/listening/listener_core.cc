// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/listening/listener_core.h"

#include <cerrno>
#include <utility>

#include "absl/time/time.h"
#include "ringway/backends/prepare.h"

namespace ringway::net::internal {
namespace {

// Long enough to cost little while fds are exhausted, short enough to go
// unnoticed afterwards.
constexpr absl::Duration kRetryAfter = absl::Milliseconds(20);

// Errors of the listening socket itself. All other errors of accept(2)
// concern one connection, or a resource that may become available again.
bool IsFatal(int errnum) {
  return errnum == EBADF || errnum == EINVAL || errnum == ENOTSOCK ||
         errnum == EFAULT;
}

}  // namespace

ListenerCore::~ListenerCore() {
  if (!loop_ended()) OnLoopEnd();
}

// No task is left that could accept.
void ListenerCore::OnLoopEnd() {
  loop().DisarmTimer(retry_.timer);
  if (retry_.linked()) retry_.Unlink();
  accept_.DropUntaken();
  reserve_.Close();
  SocketCore::OnLoopEnd();
}

void ListenerCore::KeepReserve() {
  keeps_reserve_ = true;
  FillReserve();
}

bool ListenerCore::FillReserve() {
  if (!reserve_.valid())
    reserve_ = SocketFd(sockets(), sockets().Socket(AF_UNIX, SOCK_DGRAM));
  return reserve_.valid();
}

int32_t ListenerCore::TakeAccepted() {
  Delivery delivery;
  if (!accept_.Take(delivery)) return kNone;
  if (!keeps_reserve_ || FillReserve()) return delivery.result;
  // It has the place of the reserve, and there is no other.
  SocketFd(sockets(), delivery.result).Close();
  FillReserve();
  return -EMFILE;
}

int32_t ListenerCore::TakeForNewcomer() {
  return waiters_.empty() ? TakeAccepted() : kNone;
}

void ListenerCore::Wait(AcceptWait& waiter) {
  waiters_.Join(waiter);
  if (!retry_.timer.armed() && !retry_.linked()) ArmIfWanted();
}

void ListenerCore::ArmIfWanted() {
  if (waiters_.empty() || accept_.in_progress()) return;
  accept_.Arm(fd(), &PrepareAcceptMultishot);
}

void ListenerCore::OnAbandon() {
  FailAll(-ECANCELED);
  accept_.DropUntaken();
  accept_.Stop();
  keeps_reserve_ = false;
  reserve_.Close();
}

void ListenerCore::CompleteFront(int32_t result) {
  waiters_.front()->SetResult(result);
  waiters_.CompleteFront(ringway::internal::WaitEnd::kServed);
}

void ListenerCore::FailAll(int32_t result) {
  while (!waiters_.empty()) CompleteFront(result);
}

void ListenerCore::AcceptOperation::OnNews(ArmedMultishot& self) {
  static_cast<AcceptOperation&>(self).core.OnNews();
}

void ListenerCore::OnNews() {
  if (abandoned()) {
    accept_.DropUntaken();
    return CloseIfIdle();
  }
  while (!waiters_.empty()) {
    const int32_t accepted = TakeAccepted();
    if (accepted == kNone) break;
    CompleteFront(accepted);
  }
  if (accept_.state() == ArmedMultishot::State::kEnded) {
    OnEnd(accept_.TakeEnd());
  } else if (accept_.untaken() >= kMaxUntaken) {
    accept_.Stop();
  } else {
    ArmIfWanted();  // waiters that arrived while a pause was in progress
  }
}

void ListenerCore::OnEnd(int32_t result) {
  if (IsFatal(-result)) {
    FailAll(result);
  } else if (result == -ECONNABORTED || result == -EINTR || result == -EPROTO) {
    ArmIfWanted();
  } else if ((result == -EMFILE || result == -ENFILE) && reserve_.valid()) {
    reserve_.Close();
    ArmIfWanted();
  } else {
    loop().ArmTimer(retry_.timer, loop().now() + kRetryAfter);
  }
}

void ListenerCore::Retry::OnTime(Runnable& entry) {
  ListenerCore& core = static_cast<Retry&>(entry).core;
  if (core.keeps_reserve_) core.FillReserve();
  core.ArmIfWanted();
}

}  // namespace ringway::net::internal
