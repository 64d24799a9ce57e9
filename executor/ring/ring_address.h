// SPDX-License-Identifier: Apache-2.0
//
// RingAddress: a handle to a ring for other threads. Copies are cheap and may
// outlive the ring; their calls then fail.

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
  // Behaves like the address of a ring that has ended.
  RingAddress() = default;

  // Sends from a thread without a ring; a thread with one uses
  // Ring::Message(), which reports the outcome. Moves from `payload` only if
  // the result is OK; it is then destroyed if the ring ends or has no handler
  // before it arrives. Messages of one thread arrive in order.
  //
  // Errors: Unavailable (the ring has ended), FailedPrecondition (in a forked
  //         child).
  // Cost:   one allocation; a system call only if the ring sleeps.
  absl::Status Send(MessagePayload&& payload) const;

  // Runs `fn` on the ring's thread, in its next turn. Its exceptions are
  // treated like those of callbacks.
  //
  // Errors: as Send(). If the ring ends before its next turn, `fn` is destroyed
  //         without running.
  // Cost:   allocates; meant for control, not for data.
  absl::Status Post(absl::AnyInvocable<void(Ring&)> fn) const;

  // Ends the Run() in which the ring receives this call.
  void Stop() const;

 private:
  friend class Ring;
  friend class internal::RingCore;
  RingAddress(std::shared_ptr<Inbox> inbox, internal::RingCore& core)
      : inbox_(std::move(inbox)), core_(&core) {}

  std::shared_ptr<Inbox> inbox_;
  internal::RingCore* core_ =
      nullptr;  // used only by messages that inbox_ has accepted
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_RING_RING_ADDRESS_H_
