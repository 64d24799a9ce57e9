// SPDX-License-Identifier: Apache-2.0
//
// RingMessage: a message from one ring to another, and back.
//
//   sender                            target
//   Send() ---- inbox of the target -----> arrives
//     |                                      | kTaken: the target's handler
//     | kRevoked: the sender                 |   gets the payload
//     |   takes the payload back             | kRefused: the payload stays
//     v                                      v   in the message
//   reused <---- inbox of the sender ---- Return()
//
// One atomic decides which side owns the payload: the first to leave kSent.
// So a sender that cancels, or ends, knows the outcome without waiting for a
// ring that may not be running. Messages return to their sender for reuse.
// One that finds its sender's inbox closed deletes itself; a ring that ends
// settles all its sent messages before it closes its inbox.

#ifndef RINGWAY_EXECUTOR_RING_RING_MESSAGE_H_
#define RINGWAY_EXECUTOR_RING_RING_MESSAGE_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "ringway/core/containers/intrusive_list.h"
#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/ring/completion.h"
#include "ringway/executor/ring/payload.h"

namespace ringway::internal {

class Mailbox;

struct RingMessage : InboxMessage, ListNode {
  enum class State : uint8_t { kSent, kTaken, kRefused, kRevoked };

  RingMessage() : InboxMessage(&OnArrival) {}

  // Each of the three settles the message; false if another was first. After
  // Take() the payload belongs to the target; after Refuse() and Revoke() to
  // the sender.
  bool Take() { return Leave(State::kTaken); }
  bool Refuse(int32_t why) {
    result = why;
    return Leave(State::kRefused);
  }
  bool Revoke() { return Leave(State::kRevoked); }

  // Returns the message to its sender. The target must not use it afterwards.
  void Return();

  // Written by the sender before it is sent.
  MessagePayload payload;
  Mailbox* target = nullptr;          // for the target's thread only
  Mailbox* home = nullptr;            // for the sender's thread only
  std::shared_ptr<Inbox> home_inbox;  // null: it does not return
  RingTask task;                      // the sender's

  // Written by the target.
  int32_t result = 0;      // the reason of a refusal
  bool returning = false;  // on its way back to the sender

  std::atomic<State> state{State::kSent};

 private:
  static void OnArrival(InboxMessage& message, bool accepted);
  // Releases earlier writes, acquires those of the side that was first.
  bool Leave(State to) {
    State sent = State::kSent;
    return state.compare_exchange_strong(sent, to, std::memory_order_acq_rel,
                                         std::memory_order_acquire);
  }
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_RING_RING_MESSAGE_H_
