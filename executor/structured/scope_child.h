// SPDX-License-Identifier: Apache-2.0
//
// ScopeChild: how a TaskScope knows one of its tasks, from the spawn to the
// end. Not for users.

#ifndef RINGWAY_EXECUTOR_STRUCTURED_SCOPE_CHILD_H_
#define RINGWAY_EXECUTOR_STRUCTURED_SCOPE_CHILD_H_

#include <cstddef>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/memory/frame_allocator.h"
#include "ringway/executor/task/task.h"
#include "ringway/executor/task/task_context.h"

namespace ringway {

class TaskScope;

namespace internal {

// An argument of the task's outermost coroutine, so it is there from the spawn
// on and goes with the task, also when that is cancelled before it started. A
// block of its own: arguments are moved into the frame, list elements are not.
class ScopeChild : public ListNode {
 public:
  ScopeChild() = default;
  // Without an End() the task has never run.
  ~ScopeChild();

  static void* operator new(size_t n_bytes) {
    return FrameAllocator::Allocate(n_bytes);
  }
  static void operator delete(void* p) { FrameAllocator::Free(p); }

  // For the running task to say that it has ended, and how.
  void End(absl::Status status);
  void EndWith(std::exception_ptr exception);

 private:
  friend class ::ringway::TaskScope;

  // Until the task has ended or, while the executor is destroyed, the scope.
  TaskScope* scope_ = nullptr;
  TaskId id_;
};

inline absl::Status StatusOf(const absl::Status& status) { return status; }
template <typename T>
absl::Status StatusOf(const absl::StatusOr<T>& value) {
  return value.status();
}
template <typename T>
absl::Status StatusOf(const T&) {
  return absl::OkStatus();
}

// Runs `task` and tells its scope when it has ended.
template <typename T>
Task<T> RunInScope(std::unique_ptr<ScopeChild> child, Task<T> task) {
  // A local, unlike an argument, is gone when the scope goes on, and with it
  // the task's own arguments, even if somebody holds the handle.
  Task<T> body = std::move(task);
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(body);
      child->End(absl::OkStatus());
    } else {
      T result = co_await std::move(body);
      child->End(StatusOf(result));
      co_return std::move(result);
    }
  } catch (...) {
    child->EndWith(std::current_exception());
    throw;
  }
}

}  // namespace internal
}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_STRUCTURED_SCOPE_CHILD_H_
