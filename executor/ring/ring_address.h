// SPDX-License-Identifier: Apache-2.0
//
// RingAddress: how other threads, with a ring of their own or without, reach a
// ring. Copies are cheap, and may outlive the ring: what they are asked then
// fails.

#ifndef RINGWAY_EXECUTOR_RING_RING_ADDRESS_H_
#define RINGWAY_EXECUTOR_RING_RING_ADDRESS_H_

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/ring/payload.h"

namespace ringway {

class Ring;

namespace internal {
class RingCore;
}

// Threads: any, for every function.
class RingAddress {
 public:
  // Of no ring: as that of a ring that has ended.
  RingAddress() = default;

  // Sends from a thread that has no ring; the others use Ring::Message(), which
  // tells what became of it. `payload` is taken if, and only if, the result is
  // OK; it is then disposed of if the ring ends, or has no handler, before it
  // arrives. Messages of one thread arrive in order.
  //
  // Errors: Unavailable (the ring has ended), FailedPrecondition (it is the
  //         parent's of a forked child).
  // Cost:   one allocation; a system call only if the ring sleeps.
  absl::Status Send(MessagePayload&& payload) const;

  // Runs `fn` on the ring's thread, in its next turn. What it throws is treated
  // as what a callback throws.
  //
  // Errors: as Send(). If it ends before its next turn, `fn` is destroyed
  //         unrun.
  // Cost:   allocates; for control, not for data.
  absl::Status Post(absl::AnyInvocable<void(Ring&)> fn) const;

  // Ends the Run() that the ring is in, or will be in when it hears of it.
  void Stop() const;

 private:
  friend class Ring;
  friend class internal::RingCore;
  RingAddress(std::shared_ptr<Inbox> inbox, internal::RingCore& core)
      : inbox_(std::move(inbox)), core_(&core) {}

  std::shared_ptr<Inbox> inbox_;
  internal::RingCore* core_ = nullptr;  // only once inbox_ has taken something
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_RING_RING_ADDRESS_H_
