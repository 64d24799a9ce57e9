// SPDX-License-Identifier: Apache-2.0
//
// TaskScope: child tasks that end before their parent continues. The first
// failure cancels the others.
//
//   ringway::TaskScope scope;
//   for (std::string& host : hosts)
//     pages.push_back(scope.Spawn(Fetch(std::move(host))));
//   co_return co_await scope.Join();
//
// A scope must be joined on every path out of the coroutine that declares it:
// a destructor cannot wait, and the remaining tasks would use destroyed
// objects, so leaving a scope with tasks alive aborts. If code between the
// first Spawn() and Join() can throw or return early, use WithScope(), which
// always joins.
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

// Must be a local variable of a coroutine that a task runs (checked). That
// task is the scope's owner; any task of the executor may spawn into the
// scope.
//
// Threads: the executor's only (checked).
class TaskScope : private CancelListener {
 public:
  static constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

  // Holds at most `max_tasks` at one time; see WaitForRoom().
  explicit TaskScope(size_t max_tasks = kNoLimit);
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  // No task of the scope may be alive (checked), except while the executor is
  // destroyed.
  ~TaskScope();

  // Schedules `task` as Executor::Spawn() does. The handle joins it as usual
  // and may be dropped: the task stays in the scope. If the scope was
  // cancelled or has failed, the task never starts, and joining it returns
  // Cancelled. Beyond the limit of the scope or the executor it does not
  // start either, and the scope fails with ResourceExhausted. `name` is for
  // diagnostics, as for Executor::Spawn().
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

  // Waits until all tasks have ended, including those spawned meanwhile.
  //
  // Result:       OK if none has failed. A task fails by returning a status
  //               that is not OK, or by throwing. A task that was cancelled -
  //               by its handle or by this scope's Cancel() - and ends as
  //               Cancelled has not failed.
  // Errors:       the first failure, which has cancelled the other tasks;
  //               rethrown if it is an exception. Cancelled if the owner was
  //               cancelled and a task ended early because of that.
  // Threads:      the owner task only (checked), one Join() at a time.
  // Cancellation: cancels the tasks and waits for them. They are cancelled
  //               together with the owner, even while it waits for something
  //               else, those of its innermost scope first.
  // Cost:         one frame.
  Task<absl::Status> Join() {
    CheckThread();
    return JoinAll();
  }

  // Cancels every task, and those spawned from now on. The newest is
  // cancelled first, after the tasks of its own scopes; the stack grows with
  // the depth of that nesting.
  void Cancel();

  // True once the scope has failed or was cancelled.
  bool cancelled() const {
    CheckThread();
    return cancelled_;
  }

  // Waits until the scope has room for one more task, as back-pressure for a
  // producer of work.
  //
  // Errors:       Cancelled.
  Task<absl::Status> WaitForRoom() {
    CheckThread();
    return WaitUntilRoom();
  }

  // The number of tasks alive.
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
  bool cut_short_ = false;  // a task ended early: the owner was cancelled
  bool joining_ = false;    // the last task to end wakes the owner
};

// Runs `body(scope, args...)`, which returns a task, in a new scope and waits
// for all tasks that it spawns there. The body is a task of the scope too: it
// is cancelled when another fails.
//
// Result:       the result of joining the body, once all have ended.
// Errors:       those of TaskScope::Join(), including its exceptions.
// Ownership:    `body` and `args` are kept until the end; the body may take
//               references to them. Pass a function, or an object without
//               captures.
// Cancellation: cancels all tasks of the scope and waits for them.
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
