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
  if (!task_->root_) return absl::Status(absl::StatusCode::kCancelled, "");
  return absl::OkStatus();
}

std::exception_ptr JoinHandleBase::exception() const {
  if (task() == nullptr || !task_->finished_ || !task_->root_) return nullptr;
  return task_->exception_of_(task_->root_);
}

namespace internal {

bool JoinWait::Begin(std::coroutine_handle<> leaf, TaskContext& joiner) {
  for (size_t i = 0; i < handles_.size(); ++i) {
    if (!handles_[i]->done()) continue;
    first_ = i;
    return joiner.SkipWait(leaf);
  }
  if (!joiner.Park(leaf, *this)) return joiner.SkipWait(leaf);
  joiner_ = &joiner;
  for (JoinHandleBase* handle : handles_) {
    TaskContext& task = *handle->task_;
    RINGWAY_CHECK(&task.executor() == &joiner.executor(),
                  "a task can be joined by tasks of its own executor only");
    RINGWAY_CHECK(&task != &joiner, "a task cannot join itself");
    RINGWAY_CHECK(task.joiner_ == nullptr, "two tasks await one JoinHandle");
    task.joiner_ = this;
  }
  return true;
}

void JoinWait::OnTaskEnded(const TaskContext& task) {
  if (first_ != kNone) return;  // the joiner is on its way already
  first_ = 0;
  while (handles_[first_]->task_ != &task) ++first_;
  joiner_->Wake();
}

void JoinWait::Disconnect() {
  if (std::exchange(joiner_, nullptr) == nullptr) return;
  for (JoinHandleBase* handle : handles_) handle->task_->joiner_ = nullptr;
}

void JoinWait::OnCancel(Suspension& suspension) {
  JoinWait& self = static_cast<JoinWait&>(suspension);
  TaskContext* joiner = self.joiner_;
  self.Disconnect();
  joiner->Wake();
}

}  // namespace internal
}  // namespace ringway
