// SPDX-License-Identifier: Apache-2.0
//
// ExecutorHandle: refers to an executor from any thread.
//
// Copyable, and may outlive the executor: messages to an executor that has
// ended are refused.
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
  // Refers to no executor: every message is refused.
  ExecutorHandle() = default;

  // Threads: the executor's only (checked).
  explicit ExecutorHandle(Executor& executor);

  // The executor that this thread runs. Aborts if there is none.
  static ExecutorHandle Current();

  // See Inbox::Send().
  bool Send(InboxMessage& message) const {
    return inbox_ != nullptr && inbox_->Send(message);
  }

  // See Inbox::Post().
  absl::Status Post(absl::AnyInvocable<void()> fn) const;

  // True in a child forked after its executor was made; messages from there
  // are refused.
  bool forked() const { return inbox_ != nullptr && inbox_->forked(); }

  // True if both refer to the same executor.
  friend bool operator==(const ExecutorHandle&,
                         const ExecutorHandle&) = default;

 private:
  std::shared_ptr<Inbox> inbox_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_REMOTE_EXECUTOR_HANDLE_H_
