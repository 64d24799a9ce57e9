// SPDX-License-Identifier: Apache-2.0

#include "executor/task_context.h"

#include <utility>

#include "core/check.h"
#include "executor/executor.h"

namespace ringway {

TaskContext::TaskContext(Executor& executor, std::coroutine_handle<> root)
    : Runnable(&TaskContext::Run),
      executor_(executor),
      loop_(executor.loop()),
      root_(root),
      leaf_(root) {}

TaskContext::~TaskContext() {
  if (root_) root_.destroy();
}

void TaskContext::Run(Runnable& entry) {
  TaskContext& task = static_cast<TaskContext&>(entry);
  if (!task.started_) {
    if (task.cancel_requested_) {  // the body never runs; its arguments go now
      std::exchange(task.root_, nullptr).destroy();
      task.finished_ = true;
      task.executor_.OnFinished(task);
      return;
    }
    task.started_ = true;
  }
  task.Resume();
}

void TaskContext::Resume() {
  suspension_ = nullptr;
  awaits_left_ = kAwaitsPerTurn;
  executor_.current_task_ = this;
  internal::ControlTransfer::Run(transfer_slot_, std::exchange(leaf_, nullptr));
  executor_.current_task_ = nullptr;
  if (finished_) executor_.OnFinished(*this);
}

void TaskContext::RequestCancel() {
  executor_.owner_.Check("an executor's task");
  if (finished_ || cancel_requested_) return;
  cancel_requested_ = true;
  if (shields_ > 0) return;
  TellCancelListeners();
  if (Suspension* suspension = std::exchange(suspension_, nullptr))
    suspension->Cancel();
}

void TaskContext::AddCancelListener(CancelListener& listener) {
  if (cancelled()) {
    listener.OnCancelled();
  } else {
    cancel_listeners_.PushFront(listener);
  }
}

void TaskContext::TellCancelListeners() {
  while (CancelListener* listener = cancel_listeners_.PopFront())
    listener->OnCancelled();
}

}  // namespace ringway
