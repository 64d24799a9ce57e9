// SPDX-License-Identifier: Apache-2.0
//
// RingMessage: a message on its way from one ring to another, and back.
//
//   sender                            target
//   Send() ---- inbox of the target ----> arrives
//     |                                     | kTaken: its handler has the
//     payload | kRevoked: the payload is            | kRefused: the payload
//     stays in it v the sender's again                  v
//   used again <--- inbox of the sender --- Return()
//
// One atomic decides who has the payload: the first to leave kSent. So a sender
// that cancels, or ends, knows what became of it without waiting, and nobody
// waits for a ring that does not turn. Messages come home to be used again. One
// that finds its home's inbox closed deletes itself: a ring that ends settles
// all that it has sent before it closes its inbox.

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

  // The three that settle it: false when another was first. After Take() the
  // payload is the target's; after Refuse() and Revoke() the sender's.
  bool Take() { return Leave(State::kTaken); }
  bool Refuse(int32_t why) {
    result = why;
    return Leave(State::kRefused);
  }
  bool Revoke() { return Leave(State::kRevoked); }

  // The target is done with it. The last thing it does with it.
  void Return();

  // Written by the sender before it is sent.
  MessagePayload payload;
  Mailbox* target = nullptr;          // used on the target's thread only
  Mailbox* home = nullptr;            // and on the sender's
  std::shared_ptr<Inbox> home_inbox;  // null: the sender does not want it back
  RingTask task;                      // the sender's

  // Written by the target.
  int32_t result = 0;      // why it was refused
  bool returning = false;  // on its way home

  std::atomic<State> state{State::kSent};

 private:
  static void OnArrival(InboxMessage& message, bool accepted);
  // Releases what was written before, acquires what the first has written.
  bool Leave(State to) {
    State sent = State::kSent;
    return state.compare_exchange_strong(sent, to, std::memory_order_acq_rel,
                                         std::memory_order_acquire);
  }
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_RING_RING_MESSAGE_H_
