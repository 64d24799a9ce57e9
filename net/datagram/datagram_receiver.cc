// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/datagram/datagram_receiver.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/backends/datagram.h"
#include "ringway/backends/prepare.h"
#include "ringway/core/check.h"
#include "ringway/core/errno_status.h"
#include "ringway/net/datagram/datagram_control.h"
#include "ringway/net/datagram/datagram_core.h"

namespace ringway::net::internal {

using ringway::internal::WaitEnd;
using State = ArmedMultishot::State;

// --- LentDatagramWait

LentDatagramWait::LentDatagramWait(DatagramCore* core, const DatagramKind& kind,
                                   std::span<LentDatagram> out)
    : Wait(&Describe),
      core_(core),
      kind_(kind),
      unusable_(LoopDependent::WhyUnusable(core, kind.handle)),
      out_(out) {}

WaitEnd LentDatagramWait::Admit() {
  if (unusable_ != Unusable::kNo) return WaitEnd::kUnusable;
  core_->CheckAwaitedOn(task().loop(), kind_.handle);
  return WaitEnd::kWaiting;
}

WaitEnd LentDatagramWait::Begin() {
  if (out_.empty()) return WaitEnd::kServed;
  // A task that waits for long must not hold what it has dealt with.
  for (LentDatagram& datagram : out_) datagram.bytes.Release();
  if (core_->receiver().ready()) {
    Take();
    return WaitEnd::kServed;
  }
  core_->receiver().Wait(*this);
  return WaitEnd::kWaiting;
}

bool LentDatagramWait::Leave() {
  core_->receiver().StopWaiting();
  return true;
}

std::string LentDatagramWait::Describe(const Suspension& suspension) {
  return Of(suspension).core_->DescribeWithLocal("recv on ");
}

// An end stays for the next wait if there are datagrams before it.
void LentDatagramWait::Take() {
  DatagramReceiver& receiver = core_->receiver();
  while (n_taken_ < out_.size() && receiver.has_datagram()) {
    receiver.Take(out_[n_taken_]);
    ++n_taken_;
  }
  if (n_taken_ == 0) end_result_ = receiver.TakeEnd();
}

absl::StatusOr<size_t> LentDatagramWait::Result() const {
  if (unusable_ != Unusable::kNo)
    return UnusableStatus(unusable_, kind_.socket);
  if (!served()) return status();
  if (n_taken_ > 0 || out_.empty()) return n_taken_;
  return ErrnoToStatus(
      end_result_ == 0 ? ESHUTDOWN : -end_result_,
      absl::StrCat("receive on a ", kind_.socket, ", fd ", core_->fd()));
}

// --- DatagramReceiver

DatagramReceiver::DatagramReceiver(DatagramCore& core)
    : core_(core), receive_(core.loop(), *this) {
  room_.msg_namelen = sizeof(sockaddr_un);  // the largest
  room_.msg_controllen = kReceiveControlBytes;
}

void DatagramReceiver::Take(LentDatagram& datagram) {
  Delivery delivery;
  receive_.Take(delivery);
  const ringway::Datagram raw = ReadDatagram(receive_.operation(), delivery);
  datagram = LentDatagram();
  datagram.bytes =
      ReceivedBuffer(core_.loop(), delivery.buffer_id, raw.payload);
  // Where they lie need not be aligned for their types.
  sockaddr_storage name;
  ReceiveControl control;
  memcpy(&name, raw.name.data(), raw.name.size());
  memcpy(control.bytes, raw.control.data(), raw.control.size());
  datagram.sender =
      SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&name),
                                  static_cast<socklen_t>(raw.name.size()));
  datagram.truncated = raw.truncated();
  ReadControl(std::span(control.bytes).first(raw.control.size()), datagram);
}

void DatagramReceiver::Wait(LentDatagramWait& waiter) {
  RINGWAY_CHECK(waiter_ == nullptr,
                "two tasks receive lent datagrams from one %s",
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
  if (LentDatagramWait* waiter = std::exchange(waiter_, nullptr))
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
    LentDatagramWait& waiter = *std::exchange(waiter_, nullptr);
    waiter.Take();
    waiter.CompleteNow(WaitEnd::kServed);
  } else if (waiter_ != nullptr && !receive_.in_progress()) {
    Arm();  // the waiter arrived while a pause was in progress
  }
  // The resumed task may have dropped the socket.
  if (!abandoned_ && receive_.untaken() >= kMaxHeld) receive_.Stop();
}

}  // namespace ringway::net::internal
