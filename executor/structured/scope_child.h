// SPDX-License-Identifier: Apache-2.0
//
// ScopeChild: a TaskScope's record of one of its tasks, from spawn to end.
// Internal.

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

// An argument of the task's outermost coroutine, so it exists from the spawn
// on and is destroyed with the task, even if that is cancelled before it
// starts. It is a separate block because arguments are moved into the frame
// and list elements cannot be moved.
class ScopeChild : public ListNode {
 public:
  ScopeChild() = default;
  // Without a call of End() the task has never run.
  ~ScopeChild();

  static void* operator new(size_t n_bytes) {
    return FrameAllocator::Allocate(n_bytes);
  }
  static void operator delete(void* p) { FrameAllocator::Free(p); }

  // The running task calls one of these when it ends.
  void End(absl::Status status);
  void EndWith(std::exception_ptr exception);

 private:
  friend class ::ringway::TaskScope;

  // Null once the task or, while the executor is destroyed, the scope has
  // ended.
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

// Runs `task` and reports its end to its scope.
template <typename T>
Task<T> RunInScope(std::unique_ptr<ScopeChild> child, Task<T> task) {
  // Unlike an argument, a local is destroyed before the scope continues, and
  // so are the task's own arguments, even if its handle is still held.
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
