// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/datagram/datagram_receiver.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/datagram.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/datagram/datagram_control.h"
#include "ringway/net/datagram/datagram_core.h"

namespace ringway::net {

using ringway::internal::WaitEnd;
using State = internal::ArmedMultishot::State;

// --- ReceiveLentOp

ReceiveLentOp::ReceiveLentOp(internal::DatagramCore* core,
                             const internal::DatagramKind& kind)
    : Wait(&Describe),
      core_(core),
      kind_(kind),
      unusable_(LoopDependent::WhyUnusable(core, kind.handle)) {}

WaitEnd ReceiveLentOp::Admit() {
  if (unusable_ != Unusable::kNo) return WaitEnd::kUnusable;
  core_->CheckAwaitedOn(task().loop(), kind_.handle);
  return WaitEnd::kWaiting;
}

WaitEnd ReceiveLentOp::Begin() {
  if (core_->receiver().ready()) {
    Take();
    return WaitEnd::kServed;
  }
  core_->receiver().Wait(*this);
  return WaitEnd::kWaiting;
}

bool ReceiveLentOp::Leave() {
  core_->receiver().StopWaiting();
  return true;
}

std::string ReceiveLentOp::Describe(const Suspension& suspension) {
  return Of(suspension).core_->DescribeWithLocal("recv on ");
}

void ReceiveLentOp::Take() { result_ = core_->receiver().Take(datagram_); }

absl::StatusOr<LentDatagram> ReceiveLentOp::await_resume() {
  if (unusable_ != Unusable::kNo)
    return UnusableStatus(unusable_, kind_.socket);
  if (!served()) return status();
  if (result_ > 0) return std::move(datagram_);
  return ErrnoToStatus(
      result_ == 0 ? ESHUTDOWN : -result_,
      absl::StrCat("receive on a ", kind_.socket, ", fd ", core_->fd()));
}

// --- DatagramReceiver

namespace internal {

DatagramReceiver::DatagramReceiver(DatagramCore& core)
    : core_(core), receive_(core.loop(), *this) {
  room_.msg_namelen = sizeof(sockaddr_un);  // the largest
  room_.msg_controllen = kReceiveControlBytes;
}

bool DatagramReceiver::ready() const {
  return receive_.untaken() > 0 || receive_.state() == State::kEnded;
}

int32_t DatagramReceiver::Take(LentDatagram& datagram) {
  Delivery delivery;
  if (!receive_.Take(delivery)) return receive_.TakeEnd();
  const ringway::Datagram raw = ReadDatagram(receive_.operation(), delivery);
  datagram.bytes =
      ReceivedBuffer(core_.loop(), delivery.buffer_id, raw.payload);
  datagram.sender = SocketAddress::FromSockaddr(
      reinterpret_cast<const sockaddr*>(raw.name.data()),
      static_cast<socklen_t>(raw.name.size()));
  datagram.truncated = raw.truncated();
  ReadControl(raw.control, datagram);
  return 1;
}

void DatagramReceiver::Wait(ReceiveLentOp& waiter) {
  RINGWAY_CHECK(waiter_ == nullptr, "two tasks wait in ReceiveLent() of one %s",
                core_.kind().socket);
  waiter_ = &waiter;
  if (receive_.state() == State::kIdle) Arm();
}

void DatagramReceiver::Arm() {
  receive_.Arm(core_.fd(), [this](DeliveringOperation& operation, int fd) {
    PrepareRecvMsgMultishot(operation, fd, room_);
  });
}

void DatagramReceiver::Abandon() {
  abandoned_ = true;
  receive_.DropUntaken();
  if (ReceiveLentOp* waiter = std::exchange(waiter_, nullptr))
    waiter->Complete(WaitEnd::kCancelled);
  receive_.Stop();
}

void DatagramReceiver::Receive::OnNews(ArmedMultishot& self) {
  static_cast<Receive&>(self).receiver.OnNews();
}

void DatagramReceiver::OnNews() {
  if (abandoned_) {
    receive_.DropUntaken();
    if (!receive_.in_progress()) core_.OnReceiverStopped();
    return;
  }
  if (waiter_ != nullptr && ready()) {
    ReceiveLentOp& waiter = *std::exchange(waiter_, nullptr);
    waiter.Take();
    waiter.CompleteNow(WaitEnd::kServed);
  } else if (waiter_ != nullptr && !receive_.in_progress()) {
    Arm();  // the waiter arrived while a pause was in progress
  }
  // The resumed task may have dropped the socket.
  if (!abandoned_ && receive_.untaken() >= kMaxHeld) receive_.Stop();
}

}  // namespace internal

}  // namespace ringway::net
