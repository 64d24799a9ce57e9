// SPDX-License-Identifier: Apache-2.0
//
// Inbox: how other threads reach a loop.
//
// Shared by the loop and everybody who may send to it, so it outlives the loop:
// sending to a loop that has ended is an error, not a crash, and the message
// stays the sender's. The doorbell rings only when the loop sleeps, and once
// for any number of messages. What a message throws costs that message alone.

#ifndef RINGWAY_EXECUTOR_LOOP_INBOX_H_
#define RINGWAY_EXECUTOR_LOOP_INBOX_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "ringway/backends/backend.h"
#include "ringway/core/containers/mpsc_queue.h"
#include "ringway/core/owner_thread.h"

namespace ringway {

// Something to do on a loop's thread. Owned by the sender until Send()
// succeeds.
class InboxMessage : public MpscNode {
 public:
  // `accepted` is false when the loop ended before it could act; the function
  // disposes of the message in either case, also when it throws.
  using Function = void (*)(InboxMessage&, bool accepted);
  explicit InboxMessage(Function receive) : receive_(receive) {}
  void Receive(bool accepted) { receive_(*this, accepted); }

 private:
  Function receive_;
};

class Inbox {
 public:
  explicit Inbox(Backend& backend) : backend_(&backend) {}

  // Queues `message` and wakes the loop if it sleeps. Messages of one thread
  // arrive in order. Returns false, and leaves the message to the caller, when
  // the loop has ended, and in a forked child, where it does not exist.
  //
  // Threads: any.
  // Cost:    one compare-and-swap; a system call only if the loop sleeps.
  bool Send(InboxMessage& message);

  // Runs `fn` on the loop's thread. Unavailable when the loop has ended,
  // FailedPrecondition in a forked child; `fn`
  // is destroyed unrun if it ends first. What it throws goes to the loop's
  // exception handler and no further. Allocates; for control, not for data.
  //
  // Threads: any.
  absl::Status Post(absl::AnyInvocable<void()> fn);

  // True in a child that was forked since this was made. Any thread.
  bool forked() const { return owner_.forked(); }

  // --- The loop's side. ---

  // Receives what messages and posted functions throw; null reports on stderr,
  // as by default. Must not throw.
  using ExceptionHandler = std::function<void(std::exception_ptr)>;
  void SetExceptionHandler(ExceptionHandler handler) {
    on_exception_ = std::move(handler);
  }

  // Receives everything sent so far. Returns how many. Throws nothing.
  size_t Drain();

  // How many messages have thrown.
  uint64_t exceptions() const { return exceptions_; }

  // Whether there is something to receive.
  bool HasMessages() const { return !queue_.empty() || !received_.empty(); }

  // Announces sleep; false if there is something to do first. Between a true
  // result and WokeUp(), every Send() rings the doorbell.
  bool FallAsleep();
  void WokeUp();

  // Refuses what comes from now on and what has come already.
  void Close();

 private:
  void Receive(InboxMessage& message, bool accepted);

  const OwnerProcess owner_;
  MpscQueue<InboxMessage> queue_;
  MpscBatch<InboxMessage> received_;  // the loop's: taken, but not yet acted on
  ExceptionHandler on_exception_;     // the loop's
  uint64_t exceptions_ = 0;           // the loop's
  std::atomic<bool> asleep_{false};
  std::mutex mutex_;  // only around ringing the doorbell and going away
  Backend* backend_;  // guarded by mutex_; null once closed
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_LOOP_INBOX_H_
