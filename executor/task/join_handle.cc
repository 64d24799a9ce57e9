// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/join_handle.h"

#include "ringway/core/check.h"
#include "ringway/executor/task/executor.h"

namespace ringway {

JoinHandleBase::JoinHandleBase(TaskContext* task, absl::Status spawn_status)
    : task_(task), spawn_status_(std::move(spawn_status)) {
  if (task_ != nullptr) task_->handle_ = this;
}

JoinHandleBase& JoinHandleBase::operator=(JoinHandleBase&& other) noexcept {
  if (this != &other) {
    Detach();
    task_ = other.Release();
    if (task_ != nullptr) task_->handle_ = this;
    spawn_status_ = std::exchange(other.spawn_status_, absl::OkStatus());
  }
  return *this;
}

void JoinHandleBase::Cancel() {
  if (task() != nullptr) task_->RequestCancel();
}

void JoinHandleBase::SpareFromCancelAll() {
  if (task() != nullptr) task_->spared_ = true;
}

void JoinHandleBase::OnExecutorEnd() {
  task_ = nullptr;
  spawn_status_ = absl::FailedPreconditionError(
      "the executor of this JoinHandle has ended");
}

void JoinHandleBase::Detach() {
  if (task_ == nullptr) return;
  if (!task_->loop().IsOnItsThread() && task_->loop().forked()) [[unlikely]] {
    task_ = nullptr;  // the parent's
    return;
  }
  TaskContext* task = Release();
  task->handle_ = nullptr;
  if (task->finished_) task->executor().Free(*task);
}

TaskId JoinHandleBase::id() const {
  return task() == nullptr ? TaskId{} : task_->executor().IdOf(*task_);
}

std::string JoinHandleBase::WaitsFor() const {
  return task() == nullptr ? std::string() : task_->WaitsFor();
}

absl::Status JoinHandleBase::WhyNoResult() const {
  if (!spawn_status_.ok()) return spawn_status_;
  if (task() == nullptr)
    return absl::FailedPreconditionError("the JoinHandle is empty");
  if (!task_->finished_)
    return absl::FailedPreconditionError("the task has not ended");
  if (!task_->root_) return CancelledStatus();
  return absl::OkStatus();
}

std::exception_ptr JoinHandleBase::exception() const {
  if (task() == nullptr || !task_->finished_ || !task_->root_) return nullptr;
  return task_->exception_of_(task_->root_);
}

namespace internal {

WaitEnd JoinWait::Admit() {
  for (size_t i = 0; i < handles_.size(); ++i) {
    if (!handles_[i]->done()) continue;
    first_ = i;
    return WaitEnd::kServed;
  }
  return WaitEnd::kWaiting;
}

WaitEnd JoinWait::Begin() {
  connected_ = true;
  for (JoinHandleBase* handle : handles_) {
    TaskContext& joined = *handle->task_;
    RINGWAY_CHECK(&joined.executor() == &task().executor(),
                  "a task can be joined by tasks of its own executor only");
    RINGWAY_CHECK(&joined != &task(), "a task cannot join itself");
    RINGWAY_CHECK(joined.joiner_ == nullptr, "two tasks await one JoinHandle");
    joined.joiner_ = this;
  }
  return WaitEnd::kWaiting;
}

void JoinWait::OnTaskEnded(const TaskContext& ended) {
  if (first_ != kNone) return;  // the joiner is about to continue
  first_ = 0;
  while (handles_[first_]->task_ != &ended) ++first_;
  Complete(WaitEnd::kServed);
}

void JoinWait::Disconnect() {
  if (!std::exchange(connected_, false)) return;
  for (JoinHandleBase* handle : handles_) handle->task_->joiner_ = nullptr;
}

}  // namespace internal
}  // namespace ringway
