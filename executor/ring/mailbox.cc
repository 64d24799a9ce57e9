// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/ring/mailbox.h"

#include <cerrno>
#include <utility>

#include "ringway/executor/loop/loop.h"
#include "ringway/executor/ring/ring_core.h"

namespace ringway::internal {

void RingMessage::OnArrival(InboxMessage& message, bool accepted) {
  auto& self = static_cast<RingMessage&>(message);
  if (self.returning) {
    self.home->OnReturned(self, accepted);
  } else if (accepted) {
    self.target->OnArrived(self);
  } else {
    self.Refuse(-EHOSTDOWN);
    self.Return();
  }
}

void RingMessage::Return() {
  returning = true;
  // Once sent, it may be reused or destroyed, and the pointer with it.
  const std::shared_ptr<Inbox> inbox = home_inbox;
  if (inbox != nullptr && inbox->Send(*this)) return;
  delete this;
}

Mailbox::Mailbox(RingCore& core)
    : core_(core), inbox_(core.loop().inbox()), delivery_(*this) {}

Mailbox::~Mailbox() {
  while (RingMessage* message = idle_.PopFront()) delete message;
}

RingMessage& Mailbox::NewMessage(RingTask task, MessagePayload payload) {
  RingMessage* message = idle_.PopFront();
  if (message == nullptr) message = new RingMessage;
  message->payload = std::move(payload);
  message->home = this;
  message->home_inbox = inbox_;
  message->task = task;
  message->returning = false;
  message->state.store(RingMessage::State::kSent, std::memory_order_relaxed);
  return *message;
}

void Mailbox::Close() {
  if (delivery_.linked()) delivery_.Unlink();
  while (RingMessage* message = arrived_.PopFront()) {
    message->Refuse(-EHOSTDOWN);
    message->Return();
  }
  inbox_->Close();
}

void Mailbox::OnArrived(RingMessage& message) {
  arrived_.PushBack(message);
  if (!delivery_.linked()) core_.loop().Schedule(delivery_);
}

void Mailbox::OnReturned(RingMessage& message, bool accepted) {
  if (!accepted) {
    delete &message;
    return;
  }
  core_.OnMessageReturned(message);
  idle_.PushBack(message);
}

void Mailbox::Delivery::Run(Runnable& entry) {
  static_cast<Delivery&>(entry).mailbox.DeliverNext();
}

void Mailbox::DeliverNext() {
  RingMessage* message = arrived_.PopFront();
  if (message == nullptr) return;
  if (!arrived_.empty()) core_.loop().Schedule(delivery_);
  if (!handler_.has_value()) {
    message->Refuse(-ECONNREFUSED);
  } else if (message->Take()) {
    Deliver(*message);
  }
  message->Return();
}

void Mailbox::Deliver(RingMessage& message) {
  MessagePayload payload = std::move(message.payload);
  Completion done;
  done.operation = "message";
  done.is_final = false;
  done.payload = &payload;
  core_.Tell(*handler_, std::move(done));
}

}  // namespace ringway::internal
