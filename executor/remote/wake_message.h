// SPDX-License-Identifier: Apache-2.0
//
// WakeMessage: one message to an executor that stands for any number of
// wake-ups from any thread. The base of Waker and of other waits that threads
// without an executor end.

#ifndef RINGWAY_EXECUTOR_REMOTE_WAKE_MESSAGE_H_
#define RINGWAY_EXECUTOR_REMOTE_WAKE_MESSAGE_H_

#include <atomic>
#include <memory>

#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/task/executor.h"

namespace ringway::internal {

// Made by std::make_shared.
class WakeMessage : private InboxMessage,
                    public std::enable_shared_from_this<WakeMessage> {
 public:
  // Threads: the executor's only (checked).
  explicit WakeMessage(Executor& executor);

  // OnWoken() runs once for all sends since it last began. What a thread wrote
  // before Send() is visible to the next OnWoken(). Does nothing once the
  // executor has ended, and in a forked child.
  //
  // Threads: any; no signal handlers (waking a blocked loop takes a lock).
  // Cost:    one atomic exchange if the message is on its way already, else
  //          that of Inbox::Send(). No allocation.
  void Send();

 protected:
  ~WakeMessage() = default;

  // On the executor's thread.
  virtual void OnWoken() = 0;

 private:
  static void Received(InboxMessage& message, bool accepted);

  const ExecutorHandle home_;
  std::atomic<bool> sent_{false};
  std::shared_ptr<WakeMessage> self_;  // while it is in the inbox
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_REMOTE_WAKE_MESSAGE_H_
