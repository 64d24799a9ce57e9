// SPDX-License-Identifier: Apache-2.0
//
// Inbox: messages from other threads to a loop, without a lock: no sender,
// which may be another loop, waits for one that the kernel has preempted.
//
// Shared by the loop and its senders, so it may outlive the loop: sending to
// a loop that has ended fails, and the message stays with the sender. A send
// notifies the backend only if the loop is blocked, and once for any number
// of messages. An exception of a message affects no other message.

#ifndef RINGWAY_EXECUTOR_LOOP_INBOX_H_
#define RINGWAY_EXECUTOR_LOOP_INBOX_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "ringway/backends/backend.h"
#include "ringway/core/containers/mpsc_queue.h"
#include "ringway/core/owner_thread.h"

namespace ringway {

// A function to run on a loop's thread. Owned by the sender until Send()
// succeeds.
class InboxMessage : public MpscNode {
 public:
  // `accepted` is false if the loop ended before it received the message. The
  // function must dispose of the message in either case, also when it throws.
  using Function = void (*)(InboxMessage&, bool accepted);
  explicit InboxMessage(Function receive) : receive_(receive) {}
  void Receive(bool accepted) { receive_(*this, accepted); }

 private:
  Function receive_;
};

class Inbox {
 public:
  explicit Inbox(Backend& backend) : backend_(&backend) {}

  // Queues `message` and wakes the loop if it is blocked. Messages of one
  // thread arrive in order. Returns false, and leaves the message to the
  // caller, if the loop has ended, and in a forked child.
  //
  // Threads: any.
  // Cost:    one compare-and-swap; a system call only if the loop is blocked.
  bool Send(InboxMessage& message);

  // Runs `fn` on the loop's thread. Unavailable if the loop has ended,
  // FailedPrecondition in a forked child; `fn` is destroyed without running
  // if the loop ends first. Its exceptions go to the loop's exception
  // handler. Allocates; meant for control, not for data.
  //
  // Threads: any.
  absl::Status Post(absl::AnyInvocable<void()> fn);

  // True in a child that was forked since this was made. Any thread.
  bool forked() const { return owner_.forked(); }

  // --- The loop's side. ---

  // Receives the exceptions of messages and posted functions; null, the
  // default, reports them on stderr. Must not throw.
  using ExceptionHandler = std::function<void(std::exception_ptr)>;
  void SetExceptionHandler(ExceptionHandler handler) {
    on_exception_ = std::move(handler);
  }

  // Receives all messages sent so far. Returns their number. Does not throw.
  size_t Drain();

  // The number of messages that have thrown.
  uint64_t exceptions() const { return exceptions_; }

  // True if there are messages to receive.
  bool HasMessages() const { return !queue_.empty() || !received_.empty(); }

  // Announces that the loop will block; false if there are messages to
  // receive first. Between a true result and WokeUp(), every Send() notifies
  // the backend.
  bool FallAsleep();
  void WokeUp();

  // Refuses later messages and those not yet received. Waits for senders that
  // are about to wake the loop.
  void Close();

 private:
  void Receive(InboxMessage& message, bool accepted);
  void NotifyUnlessClosed();

  const OwnerProcess owner_;
  MpscQueue<InboxMessage> queue_;
  MpscBatch<InboxMessage> received_;  // the loop's: taken, not yet received
  ExceptionHandler on_exception_;     // the loop's
  uint64_t exceptions_ = 0;           // the loop's
  std::atomic<bool> asleep_{false};
  std::atomic<Backend*> backend_;         // null once closed
  std::atomic<uint32_t> n_notifying_{0};  // senders that may use `backend_`
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_LOOP_INBOX_H_
