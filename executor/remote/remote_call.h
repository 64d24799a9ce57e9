// SPDX-License-Identifier: Apache-2.0
//
// RemoteCall: the state that both sides of SpawnOn() share: a function that
// another worker runs as a task.
//
// The caller's side makes it and sends it to the target, which spawns a task
// for it. The task's frame holds a RunningCall, whose destructor ends the
// call however the task ends. Then the caller may take the result.

#ifndef RINGWAY_EXECUTOR_REMOTE_REMOTE_CALL_H_
#define RINGWAY_EXECUTOR_REMOTE_REMOTE_CALL_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "ringway/executor/loop/inbox.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/remote/parked_task.h"
#include "ringway/executor/task/task.h"
#include "ringway/executor/task/task_context.h"

namespace ringway::internal {

class RunningCall;

class RemoteCall {
 public:
  explicit RemoteCall(ExecutorHandle target);
  RemoteCall(const RemoteCall&) = delete;
  RemoteCall& operator=(const RemoteCall&) = delete;
  virtual ~RemoteCall() = default;

  // --- The caller's side: one thread at a time.

  // Sends the call to its executor; done() at once if that has ended.
  static void Start(const std::shared_ptr<RemoteCall>& call);

  // Cancels its task; a second call does nothing.
  static void Cancel(const std::shared_ptr<RemoteCall>& call);

  bool done() const { return phase_.load(std::memory_order_acquire) == kDone; }

  // Makes the end of the call wake `awaiter`. False if it is done() already.
  // Once only (checked).
  bool SetAwaiter(std::shared_ptr<ParkedTask> awaiter);

  // Once done: the error if there is no result.
  absl::Status WhyNoResult() const;

  // Once done: destroys the function and its arguments if they still exist.
  virtual void DropFunction() = 0;

 protected:
  // On the target's thread: calls the function and stores its result.
  virtual Task<void> Run(RunningCall running) = 0;

 private:
  friend class RunningCall;

  enum Phase : uint8_t { kRunning, kAwaited, kDone };

  // Holds its call while it is in the target's inbox.
  struct Message : InboxMessage {
    using InboxMessage::InboxMessage;
    std::shared_ptr<RemoteCall> call;
  };

  static bool Send(Message& message, std::shared_ptr<RemoteCall> call);

  // --- The target's side.
  static void OnStart(InboxMessage& message, bool accepted);
  static void OnCancel(InboxMessage& message, bool accepted);
  void Spawn(std::shared_ptr<RemoteCall> self);
  void Finish();

  const ExecutorHandle target_;
  Message start_{&OnStart};
  Message cancel_{&OnCancel};
  bool cancel_sent_ = false;  // the caller's
  TaskId task_;               // the target's
  // The target's writes are published by storing kDone (release).
  std::atomic<Phase> phase_{kRunning};
  std::shared_ptr<ParkedTask> awaiter_;
  absl::StatusCode why_no_result_ = absl::StatusCode::kUnavailable;
};

// Ends its call when it is destroyed.
class RunningCall {
 public:
  explicit RunningCall(std::shared_ptr<RemoteCall> call)
      : call_(std::move(call)) {}
  RunningCall(RunningCall&&) = default;
  ~RunningCall() {
    if (call_ != nullptr) call_->Finish();
  }

 private:
  std::shared_ptr<RemoteCall> call_;
};

// Waits for the end of a call. A cancel is forwarded to the call, and the
// wait continues until it has ended.
class [[nodiscard]] RemoteWait : private Suspension {
 public:
  // A null `call` needs no wait.
  explicit RemoteWait(std::shared_ptr<RemoteCall> call)
      : Suspension(&OnCancel, "a task of another executor"),
        call_(std::move(call)) {}
  RemoteWait(const RemoteWait&) = delete;
  RemoteWait& operator=(const RemoteWait&) = delete;
  ~RemoteWait() {
    if (parked_ != nullptr) parked_->Forget();
  }

  bool await_ready() const noexcept { return false; }
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    return Begin(leaf, leaf.promise().task());
  }

 private:
  bool Begin(std::coroutine_handle<> leaf, TaskContext& task);
  static void OnCancel(Suspension& suspension);

  const std::shared_ptr<RemoteCall> call_;
  std::shared_ptr<ParkedTask> parked_;
};

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_REMOTE_REMOTE_CALL_H_
