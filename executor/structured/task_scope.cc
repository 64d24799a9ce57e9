// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/structured/task_scope.h"

#include <coroutine>

#include "absl/strings/str_cat.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/check.h"

namespace ringway {
namespace {

Executor& ExecutorOfThisTask() {
  Executor* executor = Executor::Current();
  RINGWAY_CHECK(executor != nullptr && executor->current_task() != nullptr,
                "a TaskScope outside of a task");
  return *executor;
}

}  // namespace

namespace internal {

ScopeChild::~ScopeChild() {
  if (TaskScope* scope = std::exchange(scope_, nullptr)) {
    scope->OnEnded(*this, CancelledStatus(),
                   /*was_cancelled=*/true);
  }
}

void ScopeChild::End(absl::Status status) {
  TaskScope* scope = std::exchange(scope_, nullptr);
  if (scope == nullptr) return;
  const TaskContext& self = *Executor::Current()->current_task();
  scope->OnEnded(*this, std::move(status), self.cancelled());
}

void ScopeChild::EndWith(std::exception_ptr exception) {
  TaskScope* scope = std::exchange(scope_, nullptr);
  if (scope == nullptr) return;
  scope->OnThrew(*this, std::move(exception),
                 *Executor::Current()->current_task());
}

}  // namespace internal

// A cancel does not end this wait: the scope, a listener, has cancelled its
// tasks, and the wait ends with them.
class TaskScope::WaitUntilEmpty : private Suspension {
 public:
  explicit WaitUntilEmpty(TaskScope& scope)
      : Suspension([](Suspension&) {}, "the tasks of a scope"), scope_(scope) {}

  bool await_ready() const noexcept { return false; }
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    RINGWAY_CHECK(&task == &scope_.owner_ && !scope_.joining_,
                  "a TaskScope is joined by the task that made it, once at a "
                  "time");
    if (scope_.size_ == 0) return task.SkipWait(leaf);
    if (!task.Park(leaf, *this)) task.ParkBriefly(leaf);
    scope_.joining_ = true;
    return true;
  }
  void await_resume() const noexcept {}

 private:
  TaskScope& scope_;
};

TaskScope::TaskScope(size_t max_tasks)
    : CancelListener(&OnOwnerCancelled),
      executor_(ExecutorOfThisTask()),
      loop_(executor_.loop()),
      owner_(*executor_.current_task()),
      max_tasks_(max_tasks) {
  RINGWAY_CHECK(max_tasks > 0, "a TaskScope for no tasks");
  room_.Set();
  owner_.AddCancelListener(*this);
}

TaskScope::~TaskScope() {
  // No task runs while the executor destroys frames.
  RINGWAY_CHECK(size_ == 0 || executor_.current_task() == nullptr,
                "a TaskScope was destroyed while its tasks run: await Join() "
                "on every path, or use WithScope()");
  while (internal::ScopeChild* child = children_.PopFront())
    child->scope_ = nullptr;
  if (linked()) Unlink();
}

void TaskScope::OnOwnerCancelled(CancelListener& listener) {
  TaskScope& self = static_cast<TaskScope&>(listener);
  self.owner_cancelled_ = true;
  self.Cancel();
}

void TaskScope::Cancel() {
  CheckThread();
  if (std::exchange(cancelled_, true)) return;
  for (internal::ScopeChild* child = children_.front(); child != nullptr;
       child = children_.Next(*child)) {
    executor_.Cancel(child->id_);
  }
}

void TaskScope::Admit(JoinHandleBase& handle, internal::ScopeChild& child) {
  if (!handle.spawn_status().ok()) {
    if (!cancelled_) Fail(handle.spawn_status());
    return;
  }
  child.scope_ = this;
  child.id_ = handle.id();
  children_.PushFront(child);
  if (cancelled_) handle.Cancel();
  if (++size_ > max_tasks_ && !cancelled_) {
    Fail(absl::ResourceExhaustedError(
        absl::StrCat("TaskScope: ", max_tasks_, " tasks are alive already")));
  }
  if (size_ >= max_tasks_) room_.Reset();
}

void TaskScope::OnEnded(internal::ScopeChild& child, absl::Status status,
                        bool was_cancelled) {
  Remove(child);
  if (was_cancelled && absl::IsCancelled(status)) {
    cut_short_ |= owner_cancelled_;
  } else if (!status.ok()) {
    Fail(std::move(status));
  }
}

void TaskScope::OnThrew(internal::ScopeChild& child,
                        std::exception_ptr exception, TaskContext& task) {
  Remove(child);
  if (failure_.ok() && exception_ == nullptr) {
    exception_ = std::move(exception);
    task.ClaimException();  // Join() throws it
  }
  Cancel();
}

void TaskScope::Fail(absl::Status failure) {
  if (failure_.ok() && exception_ == nullptr) failure_ = std::move(failure);
  Cancel();
}

void TaskScope::Remove(internal::ScopeChild& child) {
  child.Unlink();
  if (--size_ < max_tasks_) room_.Set();
  if (size_ == 0 && std::exchange(joining_, false)) owner_.Wake();
}

Task<absl::Status> TaskScope::JoinAll() {
  // Repeat if another task has spawned into the scope before this task
  // resumes.
  do {
    WaitUntilEmpty wait(*this);
    co_await wait;
  } while (size_ > 0);
  if (exception_ != nullptr) std::rethrow_exception(exception_);
  if (!failure_.ok()) co_return failure_;
  if (cut_short_) co_return CancelledStatus();
  co_return absl::OkStatus();
}

Task<absl::Status> TaskScope::WaitUntilRoom() {
  while (size_ >= max_tasks_) {
    const absl::Status waited = co_await room_.Wait();
    if (!waited.ok()) co_return waited;
  }
  co_return absl::OkStatus();
}

}  // namespace ringway
