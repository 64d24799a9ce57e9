// SPDX-License-Identifier: Apache-2.0
//
// ExecutorHandle: how the rest of the program names an executor.
//
// Copyable, for any thread, and safe to keep: what is sent to an executor that
// has ended is refused.
//
//   ringway::ExecutorHandle home = ringway::ExecutorHandle::Current();
//   std::thread poster([home] {
//     absl::Status posted = home.Post([] { /* on the executor's thread */ });
//   });

#ifndef RINGWAY_EXECUTOR_REMOTE_EXECUTOR_HANDLE_H_
#define RINGWAY_EXECUTOR_REMOTE_EXECUTOR_HANDLE_H_

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/task/executor.h"

namespace ringway {

class ExecutorHandle {
 public:
  // Names none: everything is refused.
  ExecutorHandle() = default;

  // Threads: the executor's only (checked).
  explicit ExecutorHandle(Executor& executor);

  // Names the executor that this thread runs. Aborts when there is none.
  static ExecutorHandle Current();

  // See Inbox::Send().
  bool Send(InboxMessage& message) const {
    return inbox_ != nullptr && inbox_->Send(message);
  }

  // See Inbox::Post().
  absl::Status Post(absl::AnyInvocable<void()> fn) const;

  // True in a child that was forked since its executor was made: nothing is
  // taken from there.
  bool forked() const { return inbox_ != nullptr && inbox_->forked(); }

  // Whether both name the same executor.
  friend bool operator==(const ExecutorHandle&,
                         const ExecutorHandle&) = default;

 private:
  std::shared_ptr<Inbox> inbox_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_REMOTE_EXECUTOR_HANDLE_H_
