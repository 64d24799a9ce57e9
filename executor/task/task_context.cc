// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/task_context.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/core/time/clock.h"
#include "ringway/core/usdt.h"
#include "ringway/executor/diagnostics/trace_recorder.h"
#include "ringway/executor/task/executor.h"

namespace ringway {

std::string Suspension::DescribeText(const Suspension& self) {
  return static_cast<const char*>(self.about_);
}

std::string Suspension::DescribeOperation(const Suspension& self) {
  const Operation& operation = *static_cast<const Operation*>(self.about_);
  return absl::StrCat(OpCodeName(operation.opcode), " on fd ", operation.fd);
}

TaskNamer::TaskNamer(Function make_name)
    : make_name_(make_name),
      task_(Executor::RunningTask("a TaskNamer")),
      outer_(std::exchange(task_.namer_, this)) {}

TaskNamer::~TaskNamer() {
  RINGWAY_CHECK(task_.namer_ == this, "a TaskNamer was no local variable");
  task_.namer_ = outer_;
}

TaskContext::TaskContext(Executor& executor, std::coroutine_handle<> root,
                         std::string_view name)
    : Runnable(&TaskContext::Run),
      executor_(executor),
      loop_(executor.loop()),
      root_(root),
      leaf_(root) {
  SetName(name);
}

TaskContext::~TaskContext() {
  if (root_) root_.destroy();
  RINGWAY_CHECK(cancel_listeners_.empty(),
                "a TaskScope, or another CancelListener, outlived its task");
}

void TaskContext::ForgetInChild() {
  root_ = nullptr;
  if (linked()) Unlink();
  while (cancel_listeners_.PopFront() != nullptr) {
  }
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
  wait_ended_ = false;
  awaits_left_ = kAwaitsPerTurn;
  // Atomic for Executor::RunningTaskName() in a signal handler.
  const std::atomic_ref current(executor_.current_task_);
  current.store(this, std::memory_order_relaxed);
  RINGWAY_PROBE1(task__resume, this);
  if (executor_.watches_resumes()) [[unlikely]] {
    ContinueWatched();
  } else {
    Continue();
  }
  current.store(nullptr, std::memory_order_relaxed);
  if (finished_) executor_.OnFinished(*this);
}

void TaskContext::Continue() {
  internal::ControlTransfer::Run(transfer_slot_, std::exchange(leaf_, nullptr));
}

void TaskContext::ContinueWatched() {
  const Clock& clock = loop_.backend().clock();
  const MonotonicTime began = clock.Now();
  if (TraceRecorder* trace = executor_.trace_; trace != nullptr)
    trace->BeginResume(began, executor_.IdOf(*this), name_.data());
  Continue();
  const MonotonicTime ended = clock.Now();
  if (TraceRecorder* trace = executor_.trace_; trace != nullptr)
    trace->EndResume(ended);
  if (!executor_.overruns_.measures_tasks()) return;
  executor_.overruns_.OnTaskTimed(loop_.now(), began, ended);
  if (executor_.overruns_.IsOverrun(began, ended)) {
    executor_.overruns_.OnTask(executor_.IdOf(*this), Name(), ended - began,
                               ended);
  }
}

void TaskContext::SetName(std::string_view name) {
  const size_t n = std::min(name.size(), kMaxName);
  if (n > 0) memcpy(name_.data(), name.data(), n);
  name_[n] = '\0';
}

std::string TaskContext::Name() const {
  return namer_ != nullptr ? namer_->make_name_(*namer_) : name_.data();
}

TaskInfo TaskContext::Info() const {
  TaskInfo info;
  info.id = executor_.IdOf(*this);
  info.parent = parent_;
  info.name = Name();
  info.cancelled = cancel_requested_;
  if (finished_) {
    info.state = TaskState::kEnded;
  } else if (executor_.current_task_ == this) {
    info.state = TaskState::kRunning;
  } else if (!started_) {
    info.state = TaskState::kNotStarted;
  } else if (suspension_ == nullptr) {
    info.state = TaskState::kReady;
  } else {
    info.state = TaskState::kWaiting;
    info.waits_for = WaitsFor();
    info.waiting = loop_.backend().clock().Now() - parked_at_;
  }
  return info;
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

void TaskContext::EndWait() {
  wait_ended_ = true;
  std::exchange(suspension_, nullptr)->Cancel();
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
