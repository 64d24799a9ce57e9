// SPDX-License-Identifier: Apache-2.0
//
// ParkedTask: a wait of a task that another thread ends.
//
// The other thread's reference must outlive the wait: the task can be
// cancelled, or destroyed with its executor, before the wake-up arrives. So
// the wait is reference-counted, and the waiting side calls Forget() when it
// no longer waits.

#ifndef RINGWAY_EXECUTOR_REMOTE_PARKED_TASK_H_
#define RINGWAY_EXECUTOR_REMOTE_PARKED_TASK_H_

#include <memory>

#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/task/task_context.h"

namespace ringway::internal {

class ParkedTask : private InboxMessage {
 public:
  // Threads: the task's only, as for Forget().
  explicit ParkedTask(TaskContext& task);

  // Wakes the task unless it no longer waits. At most once. Does nothing for
  // null.
  //
  // Threads: any.
  // Cost:    no allocation; a system call only if the task's loop is blocked.
  static void Wake(std::shared_ptr<ParkedTask> parked);

  // The wait or its task has ended.
  void Forget() { task_ = nullptr; }

 private:
  static void Received(InboxMessage& message, bool accepted);

  std::shared_ptr<Inbox> home_;
  std::shared_ptr<ParkedTask> self_;  // while it is in the inbox
  TaskContext* task_;                 // of the task's thread; null: forgotten
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_REMOTE_PARKED_TASK_H_
