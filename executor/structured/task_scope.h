// SPDX-License-Identifier: Apache-2.0
//
// TaskScope: a task's own tasks, which end before it goes on. The first failure
// cancels the others.
//
//   ringway::TaskScope scope;
//   for (std::string& host : hosts)
//     pages.push_back(scope.Spawn(Fetch(std::move(host))));
//   co_return co_await scope.Join();
//
// A scope must be joined on every way out of the coroutine that declares it: a
// destructor cannot wait, and tasks that went on would use what is gone, so
// leaving one with tasks alive aborts. Where something can throw or return
// early between the first Spawn() and Join(), let WithScope() do it: it always
// joins.
//
//   ringway::Task<absl::Status> Serve(ringway::TaskScope& scope, Port port);
//   ...
//   absl::Status served = co_await ringway::WithScope(Serve, port);

#ifndef RINGWAY_EXECUTOR_STRUCTURED_TASK_SCOPE_H_
#define RINGWAY_EXECUTOR_STRUCTURED_TASK_SCOPE_H_

#include <cstddef>
#include <exception>
#include <limits>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "ringway/core/check.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/executor/structured/scope_child.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/executor/task/task_context.h"

namespace ringway {

// A local variable of a coroutine that a task runs (checked). That task is the
// scope's owner; any task of the executor may spawn into the scope.
//
// Threads: the executor's only (checked).
class TaskScope : private CancelListener {
 public:
  static constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

  // For at most `max_tasks` at one time; see WaitForRoom().
  explicit TaskScope(size_t max_tasks = kNoLimit);
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  // No task of the scope may be alive (checked), but while the executor is
  // destroyed.
  ~TaskScope();

  // Starts `task` in its turn, as Executor::Spawn() does. The handle gives its
  // result as any other, and may be dropped: the task stays in the scope. A
  // scope that was cancelled, or has failed, takes no more: the task never
  // starts, and joining it gives Cancelled. Nor does it start, and the scope
  // fails with ResourceExhausted, beyond the limit of the scope or executor.
  // `name` is for people, as for Executor::Spawn().
  //
  // Cost: two frames, no allocation once warm.
  template <typename T>
  JoinHandle<T> Spawn(Task<T> task, std::string_view name = "") {
    CheckThread();
    RINGWAY_CHECK(task.valid() && !task.awaited(),
                  "a task was spawned that had been moved from, or awaited "
                  "before");
    auto child = std::make_unique<internal::ScopeChild>();
    internal::ScopeChild& entry = *child;
    JoinHandle<T> handle = executor_.Spawn(
        internal::RunInScope(std::move(child), std::move(task)), name);
    Admit(handle, entry);
    return handle;
  }

  // Waits until all tasks have ended, also those spawned meanwhile.
  //
  // Result:       OK if none has failed. A task fails by returning a status
  //               that is not OK, or by throwing. One that was cancelled - by
  //               its handle, or by this scope's Cancel() - and ends as
  //               Cancelled has not failed.
  // Errors:       The first failure; it has cancelled the other tasks. Throws
  //               it if it was an exception. Cancelled if the owner was
  //               cancelled and that cut a task short.
  // Threads:      The owner task only (checked), one Join() at a time.
  // Cancellation: Cancels the tasks and waits for them. They are cancelled as
  //               soon as the owner is, whatever that waits for, those of its
  //               innermost scope first.
  // Cost:         One frame.
  Task<absl::Status> Join() {
    CheckThread();
    return JoinAll();
  }

  // Cancels every task, and those spawned from now on. The newest is told
  // first, after the tasks of its own scopes; the stack grows with the depth of
  // that nesting.
  void Cancel();

  // True once the scope has failed or was cancelled.
  bool cancelled() const {
    CheckThread();
    return cancelled_;
  }

  // Waits until the scope has room for one more task, so that whoever produces
  // work goes no faster than it is done.
  //
  // Errors:       Cancelled.
  Task<absl::Status> WaitForRoom() {
    CheckThread();
    return WaitUntilRoom();
  }

  // How many tasks are alive.
  size_t size() const {
    CheckThread();
    return size_;
  }

 private:
  friend class internal::ScopeChild;
  class WaitUntilEmpty;

  Task<absl::Status> JoinAll();
  Task<absl::Status> WaitUntilRoom();
  void CheckThread() const { loop_.CheckThread("a TaskScope"); }
  static void OnOwnerCancelled(CancelListener& listener);
  void Admit(JoinHandleBase& handle, internal::ScopeChild& child);
  void OnEnded(internal::ScopeChild& child, absl::Status status,
               bool was_cancelled);
  void OnThrew(internal::ScopeChild& child, std::exception_ptr exception,
               TaskContext& task);
  void Fail(absl::Status failure);
  void Remove(internal::ScopeChild& child);

  Executor& executor_;
  Loop& loop_;  // the executor's
  TaskContext& owner_;
  const size_t max_tasks_;
  IntrusiveList<internal::ScopeChild> children_;  // newest first
  size_t size_ = 0;
  Event room_;  // set while size_ < max_tasks_
  absl::Status failure_;
  std::exception_ptr exception_;  // or this
  bool cancelled_ = false;
  bool owner_cancelled_ = false;
  bool cut_short_ = false;  // a task was, because the owner was cancelled
  bool joining_ = false;    // the owner is to be woken by the last to end
};

// Runs `body(scope, args...)`, which gives a task, in a scope of its own and
// waits for all that it spawns there. The body is a task of the scope too: it
// is cancelled when another fails.
//
// Result:       What joining the body gives, once all have ended.
// Errors:       Those of TaskScope::Join(). Throws what it throws.
// Ownership:    `body` and `args` are kept until the end; the body may take
//               references to them. Give a function, or an object without
//               captures.
// Cancellation: Cancels all tasks of the scope and waits for them.
template <typename Body, typename... Args,
          typename T = typename std::invoke_result_t<Body&, TaskScope&,
                                                     Args&&...>::value_type>
Task<JoinResult<T>> WithScope(Body body, Args... args) {
  TaskScope scope;
  JoinHandle<T> handle = scope.Spawn(body(scope, std::move(args)...));
  absl::Status ended = co_await scope.Join();
  if (!ended.ok()) co_return ended;
  co_return handle.TakeResult();
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_STRUCTURED_TASK_SCOPE_H_
