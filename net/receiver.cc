// SPDX-License-Identifier: Apache-2.0

#include "net/receiver.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "backends/prepare.h"
#include "core/check.h"
#include "net/stream_core.h"

namespace ringway::net::internal {

Receiver::Receiver(StreamCore& core) : core_(core), receive_(*this) {}

Receiver::~Receiver() { core_.loop().backend().DropEvents(receive_); }

void Receiver::Refill() {
  MultishotEvent event;
  Backend& backend = core_.loop().backend();
  if (!current_.empty() || !backend.TakeEvent(receive_, event)) return;
  current_ =
      ReceivedBuffer(backend, event.buffer_id,
                     std::span(event.data, static_cast<size_t>(event.result)));
}

bool Receiver::ready() {
  Refill();
  return !current_.empty() || ended_;
}

ReceivedBuffer Receiver::Take(int32_t& end_result) {
  Refill();
  if (current_.empty()) end_result = TakeEnd();
  return std::move(current_);
}

int32_t Receiver::TakeEnd() {
  ended_ = end_result_ == 0;
  return end_result_;
}

void Receiver::Wait(Waiter& waiter) {
  RINGWAY_CHECK(waiter_ == nullptr && !core_.reading(),
                "two tasks read from one stream");
  waiter_ = &waiter;
  if (!armed()) Arm();
}

void Receiver::Arm() {
  PrepareRecvMultishot(receive_, core_.fd());
  core_.loop().Start(receive_);
}

void Receiver::HandOver(Operation& read) {
  RINGWAY_CHECK(waiter_ == nullptr, "two tasks read from one stream");
  if (ServeRead(read)) {
    core_.loop().Schedule(read);
  } else if (armed()) {
    read_ = &read;
    pausing_ = true;
    core_.loop().Cancel(receive_);
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
  if (current_.empty()) {
    read.result = TakeEnd();
    return true;
  }
  const size_t n = std::min<size_t>(current_.size(), read.length);
  memcpy(read.address, current_.bytes().data(), n);
  current_.RemovePrefix(n);
  if (current_.empty()) current_.Release();
  read.result = static_cast<int32_t>(n);
  return true;
}

void Receiver::Abandon() {
  abandoned_ = true;
  current_.Release();
  if (Waiter* waiter = std::exchange(waiter_, nullptr)) {
    waiter->cancelled = true;
    waiter->task->Wake();
  }
  if (Operation* read = std::exchange(read_, nullptr)) {
    read->state = OpState::kDone;
    read->result = -ECANCELED;
    core_.loop().Schedule(*read);
  }
  if (armed()) core_.loop().Cancel(receive_);
}

void Receiver::Receive::OnDelivery(Runnable& entry) {
  auto& delivery = static_cast<MultishotOperation::Delivery&>(entry);
  static_cast<Receive*>(delivery.operation)->receiver.OnDelivery();
}

void Receiver::OnDelivery() {
  Loop& loop = core_.loop();
  if (abandoned_) {
    loop.backend().DropEvents(receive_);
    if (!armed()) core_.OnReceiverStopped();
    return;
  }
  if (!armed()) {
    const bool paused =
        std::exchange(pausing_, false) && receive_.result == -ECANCELED;
    if (!paused) {
      ended_ = true;
      end_result_ = receive_.result;
    }
  }
  if (read_ != nullptr) {
    if (ServeRead(*read_)) {
      std::exchange(read_, nullptr)->Run();
    } else if (!armed()) {
      loop.Start(*std::exchange(read_, nullptr));
    }
    return;
  }
  if (waiter_ != nullptr && ready()) {
    std::exchange(waiter_, nullptr)->task->Resume();
  } else if (waiter_ != nullptr && !armed()) {
    Arm();  // the waiter came while a pause was under way
  }
  PauseIfFull();
}

void Receiver::PauseIfFull() {
  // The task that was resumed may have dropped the stream.
  if (abandoned_ || !armed() || pausing_) return;
  if (receive_.event_count < kMaxHeld) return;
  pausing_ = true;
  core_.loop().Cancel(receive_);
}

}  // namespace ringway::net::internal
