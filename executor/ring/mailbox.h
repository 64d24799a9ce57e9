// SPDX-License-Identifier: Apache-2.0
//
// Mailbox: the messages of one ring: those that arrive and those that return.

#ifndef RINGWAY_EXECUTOR_RING_MAILBOX_H_
#define RINGWAY_EXECUTOR_RING_MAILBOX_H_

#include <memory>
#include <optional>

#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/runnable.h"
#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/ring/completion.h"
#include "ringway/executor/ring/context.h"
#include "ringway/executor/ring/ring_message.h"

namespace ringway::internal {

class RingCore;

class Mailbox {
 public:
  explicit Mailbox(RingCore& core);
  // Requires Close().
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  const std::shared_ptr<Inbox>& inbox() const { return inbox_; }

  // Sets the callback for arriving messages.
  void SetHandler(const Context& handler) { handler_ = handler; }

  // Makes a message of `task` to send. Allocates if more are in flight than
  // ever before.
  RingMessage& NewMessage(RingTask task, MessagePayload payload);
  // Takes back a message that could not be sent.
  void Reuse(RingMessage& message) { idle_.PushBack(message); }

  // Refuses arrived and later messages.
  void Close();

  // For RingMessage, on this ring's thread.
  void OnArrived(RingMessage& message);
  void OnReturned(RingMessage& message, bool accepted);

 private:
  // Delivers the next message. One at a time, so that messages share the
  // loop's budget with other ready entries.
  struct Delivery : Runnable {
    explicit Delivery(Mailbox& m) : Runnable(&Run), mailbox(m) {}
    static void Run(Runnable& entry);
    Mailbox& mailbox;
  };

  void DeliverNext();
  void Deliver(RingMessage& message);

  RingCore& core_;
  const std::shared_ptr<Inbox> inbox_;
  std::optional<Context> handler_;
  Delivery delivery_;
  IntrusiveList<RingMessage> arrived_;
  IntrusiveList<RingMessage> idle_;  // for reuse
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_RING_MAILBOX_H_
