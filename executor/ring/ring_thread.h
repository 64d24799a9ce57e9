// SPDX-License-Identifier: Apache-2.0
//
// RingThread: a thread that runs its own ring until Kill().
//
//   absl::StatusOr<RingThread> worker = SpawnThread(
//       RingOptions(), [&](Ring& ring) { return state.Start(ring); });
//   ring.Message(worker->address(), uint64_t{7}, context);

#ifndef RINGWAY_EXECUTOR_RING_RING_THREAD_H_
#define RINGWAY_EXECUTOR_RING_RING_THREAD_H_

#include <thread>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/owner_thread.h"
#include "ringway/executor/ring/ring.h"

namespace ringway {

class RingThread {
 public:
  RingThread(RingThread&&) = default;
  RingThread& operator=(RingThread&&) = delete;
  // Calls Kill() and Join(). In a forked child it does nothing.
  ~RingThread();

  // The ring's address. It may outlive the ring; sending then fails.
  const RingAddress& address() const { return address_; }

  // Makes the ring end: its thread cancels every task and runs its callback.
  // Does not wait for that. A callback may also end its own ring, by
  // Ring::Stop().
  //
  // Threads: any, any number of times; not in a forked child (checked).
  void Kill();

  // Waits until the ring and its thread have ended. Not from the thread itself,
  // nor in a forked child (checked).
  //
  // Threads: one at a time.
  void Join();

 private:
  using Init = absl::AnyInvocable<absl::Status(Ring&)>;
  friend absl::StatusOr<RingThread> SpawnThread(RingOptions options, Init init);
  RingThread(RingAddress address, std::thread thread)
      : address_(std::move(address)), thread_(std::move(thread)) {}

  OwnerProcess owner_;
  RingAddress address_;
  std::thread thread_;
};

// Starts a thread, makes a ring on it and calls `init` there, which sets up
// the ring: OnMessage(), first tasks. Returns when `init` has run and the
// ring is running.
//
// Errors: those of Ring::Create() and of `init`; ResourceExhausted if no thread
//         can be started. Nothing is left after an error. Rethrows the
//         exception of `init`.
absl::StatusOr<RingThread> SpawnThread(
    RingOptions options, absl::AnyInvocable<absl::Status(Ring&)> init);

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_RING_RING_THREAD_H_
