// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/remote/remote_call.h"

#include <new>

#include "ringway/core/check.h"
#include "ringway/executor/remote/pooled.h"
#include "ringway/executor/task/executor.h"

namespace ringway::internal {

RemoteCall::RemoteCall(ExecutorHandle target) : target_(std::move(target)) {}

void RemoteCall::Start(const std::shared_ptr<RemoteCall>& call) {
  if (Send(call->start_, call)) return;
  if (call->target_.forked())
    call->why_no_result_ = absl::StatusCode::kFailedPrecondition;
  call->Finish();
}

void RemoteCall::Cancel(const std::shared_ptr<RemoteCall>& call) {
  if (call->done() || std::exchange(call->cancel_sent_, true)) return;
  // If it is refused, the executor has ended, and the task with it.
  static_cast<void>(Send(call->cancel_, call));
}

bool RemoteCall::Send(Message& message, std::shared_ptr<RemoteCall> call) {
  // The target may receive and drop it before Send() returns.
  const ExecutorHandle target = call->target_;
  message.call = std::move(call);
  if (target.Send(message)) return true;
  message.call.reset();
  return false;
}

bool RemoteCall::SetAwaiter(std::shared_ptr<ParkedTask> awaiter) {
  Phase phase = phase_.load(std::memory_order_acquire);
  if (phase == kDone) return false;
  RINGWAY_CHECK(phase != kAwaited, "a RemoteHandle was awaited twice");
  awaiter_ = std::move(awaiter);
  if (phase_.compare_exchange_strong(phase, kAwaited,
                                     std::memory_order_acq_rel)) {
    return true;
  }
  awaiter_.reset();
  return false;
}

absl::Status RemoteCall::WhyNoResult() const {
  switch (why_no_result_) {
    case absl::StatusCode::kUnavailable:
      return absl::UnavailableError("the executor has ended");
    case absl::StatusCode::kFailedPrecondition:
      return absl::FailedPreconditionError(
          "the executor belongs to the parent process; a forked child must "
          "make its own");
    case absl::StatusCode::kResourceExhausted:
      return absl::ResourceExhaustedError(
          "the executor has no room for another task: "
          "ExecutorOptions::max_tasks, or memory");
    default:
      return absl::Status(why_no_result_, "");
  }
}

void RemoteCall::OnStart(InboxMessage& message, bool accepted) {
  std::shared_ptr<RemoteCall> call =
      std::move(static_cast<Message&>(message).call);
  if (accepted) {
    call->Spawn(call);
  } else {
    call->Finish();
  }
}

void RemoteCall::Spawn(std::shared_ptr<RemoteCall> self) {
  Executor* executor = Executor::Current();
  RINGWAY_CHECK(executor != nullptr,
                "SpawnOn() on a loop that its executor does not turn");
  // A refused spawn, or one without memory, destroys the frame or its
  // argument, which ends the call.
  why_no_result_ = absl::StatusCode::kResourceExhausted;
  try {
    RunningCall running(std::move(self));
    Task<void> task = Run(std::move(running));
    JoinHandle<void> spawned = executor->Spawn(std::move(task));
    if (!spawned.valid()) return;
    why_no_result_ = absl::StatusCode::kCancelled;
    task_ = spawned.id();
  } catch (const std::bad_alloc&) {
    return;  // the caller gets the error
  }
}

void RemoteCall::OnCancel(InboxMessage& message, bool accepted) {
  const std::shared_ptr<RemoteCall> call =
      std::move(static_cast<Message&>(message).call);
  if (accepted) Executor::Current()->Cancel(call->task_);
}

void RemoteCall::Finish() {
  if (phase_.exchange(kDone, std::memory_order_acq_rel) == kAwaited)
    ParkedTask::Wake(std::move(awaiter_));
}

bool RemoteWait::Begin(std::coroutine_handle<> leaf, TaskContext& task) {
  if (call_ == nullptr || call_->done()) return task.SkipWait(leaf);
  parked_ = MakePooled<ParkedTask>(task);
  if (!call_->SetAwaiter(parked_)) return task.SkipWait(leaf);
  // Woken by a message to this thread, so not before this has returned.
  if (!task.Park(leaf, *this)) {
    task.ParkBriefly(leaf);
    RemoteCall::Cancel(call_);
  }
  return true;
}

void RemoteWait::OnCancel(Suspension& suspension) {
  RemoteCall::Cancel(static_cast<RemoteWait&>(suspension).call_);
}

}  // namespace ringway::internal
