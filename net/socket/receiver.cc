// SPDX-License-Identifier: Apache-2.0

#include "ringway/net/socket/receiver.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "ringway/backends/prepare.h"
#include "ringway/core/check.h"
#include "ringway/net/socket/stream_core.h"

namespace ringway::net::internal {
namespace {

// The memory that `read`, a recv or a recvmsg of one part, receives into.
std::span<std::byte> MemoryOf(const Operation& read) {
  if (read.opcode == OpCode::kRecv)
    return {static_cast<std::byte*>(read.address), read.length};
  const iovec& part = *static_cast<const msghdr*>(read.address)->msg_iov;
  return {static_cast<std::byte*>(part.iov_base), part.iov_len};
}

}  // namespace

using ringway::internal::WaitEnd;
using State = ArmedMultishot::State;

ReceiveWait::ReceiveWait(StreamCore* core, ReceiveConsumer* consumer)
    : Wait(&Describe),
      core_(core),
      unusable_(LoopDependent::WhyUnusable(core, "a TcpStream")),
      consumer_(consumer) {}

WaitEnd ReceiveWait::Admit() {
  if (unusable_ != Unusable::kNo) return WaitEnd::kUnusable;
  core_->CheckAwaitedOn(task().loop(), "a TcpStream");
  return WaitEnd::kWaiting;
}

WaitEnd ReceiveWait::Begin() {
  if (consumer_ != nullptr) {
    if (Consume()) return WaitEnd::kServed;
  } else if (core_->receiver().ready()) {
    TakeDelivered();
    return WaitEnd::kServed;
  }
  core_->receiver().Wait(*this);
  return WaitEnd::kWaiting;
}

bool ReceiveWait::Leave() {
  core_->receiver().StopWaiting();
  return true;
}

std::string ReceiveWait::Describe(const Suspension& suspension) {
  return Of(suspension).core_->DescribeWithPeer("recv on ");
}

void ReceiveWait::TakeDelivered() {
  taken_ = true;
  buffer_ = core_->receiver().Take(end_result_);
}

bool ReceiveWait::IsServed() {
  return consumer_ != nullptr ? Consume() : core_->receiver().ready();
}

bool ReceiveWait::Consume() {
  Receiver& receiver = core_->receiver();
  while (!taken_ && receiver.ready()) {
    // Of an error the consumer learns nothing: the wait returns it.
    ReceivedBuffer bytes = receiver.Take(end_result_);
    const bool over = bytes.empty();
    if (end_result_ >= 0 && consumer_->Take(std::move(bytes))) taken_ = true;
    if (over) taken_ = true;
  }
  return taken_;
}

ReceivedBuffer ReceiveWait::Take(int32_t& end_result) {
  if (!taken_) return core_->receiver().Take(end_result);
  end_result = end_result_;
  return std::move(buffer_);
}

Receiver::Receiver(StreamCore& core)
    : core_(core), receive_(core.loop(), *this) {}

ReceivedBuffer Receiver::TakeDelivery() {
  Delivery delivery;
  if (!receive_.Take(delivery)) return {};
  return {core_.loop(), delivery.buffer_id,
          std::span(delivery.data, static_cast<size_t>(delivery.result))};
}

ReceivedBuffer Receiver::Take(int32_t& end_result) {
  if (!current_.empty()) {
    core_.CountReceived(static_cast<int64_t>(current_.size()));
    return std::move(current_);
  }
  ReceivedBuffer oldest = TakeDelivery();
  core_.CountReceived(static_cast<int64_t>(oldest.size()));
  if (oldest.empty()) end_result = TakeEnd();
  return oldest;
}

int32_t Receiver::TakeEnd() {
  if (at_end_) return 0;
  const int32_t result = receive_.TakeEnd();
  at_end_ = result == 0;
  return result;
}

void Receiver::Wait(ReceiveWait& waiter) {
  RINGWAY_CHECK(waiter_ == nullptr && !core_.reading(),
                "two tasks read from one stream");
  waiter_ = &waiter;
  if (receive_.state() == State::kIdle) Arm();
}

void Receiver::Arm() { receive_.Arm(core_.fd(), &PrepareRecvMultishot); }

void Receiver::HandOver(Operation& read) {
  RINGWAY_CHECK(waiter_ == nullptr, "two tasks read from one stream");
  if (ServeRead(read)) {
    core_.loop().Schedule(read);
  } else if (receive_.in_progress()) {
    read_ = &read;
    receive_.Stop();
  } else {
    core_.loop().Start(read);
  }
}

bool Receiver::LeaveHandOver(Operation& read) {
  if (read_ != &read) return false;
  read_ = nullptr;
  return true;
}

bool Receiver::ServeRead(Operation& read) {
  if (!ready()) return false;
  read.state = OpState::kDone;
  if (current_.empty()) current_ = TakeDelivery();
  if (current_.empty()) {
    read.result = TakeEnd();
    return true;
  }
  const std::span<std::byte> to = MemoryOf(read);
  const size_t n = std::min(current_.size(), to.size());
  memcpy(to.data(), current_.bytes().data(), n);
  current_.RemovePrefix(n);
  if (current_.empty()) current_.Release();
  read.result = static_cast<int32_t>(n);
  return true;
}

void Receiver::Abandon() {
  abandoned_ = true;
  current_.Release();
  receive_.DropUntaken();
  if (ReceiveWait* waiter = std::exchange(waiter_, nullptr))
    waiter->Complete(WaitEnd::kCancelled);
  if (Operation* read = std::exchange(read_, nullptr)) {
    read->state = OpState::kDone;
    read->result = -ECANCELED;
    core_.loop().Schedule(*read);
  }
  receive_.Stop();
}

void Receiver::Receive::OnNews(ArmedMultishot& self) {
  static_cast<Receive&>(self).receiver.OnNews();
}

void Receiver::OnNews() {
  if (!abandoned_) {
    ServeWaiters();
    return;
  }
  receive_.DropUntaken();
  if (!receive_.in_progress()) core_.OnReceiverStopped();
}

void Receiver::ServeWaiters() {
  if (read_ != nullptr) {
    if (ServeRead(*read_)) {
      std::exchange(read_, nullptr)->Run();
    } else if (!receive_.in_progress()) {
      core_.loop().Start(*std::exchange(read_, nullptr));
    }
    return;
  }
  if (waiter_ != nullptr && waiter_->IsServed()) {
    std::exchange(waiter_, nullptr)->CompleteNow(WaitEnd::kServed);
  } else if (waiter_ != nullptr && !receive_.in_progress()) {
    Arm();  // the waiter arrived while a pause was in progress
  }
  PauseIfFull();
}

void Receiver::PauseIfFull() {
  // The resumed task may have dropped the stream.
  if (!abandoned_ && receive_.untaken() >= kMaxHeld) receive_.Stop();
}

}  // namespace ringway::net::internal
