// SPDX-License-Identifier: Apache-2.0
//
// OperationAwait: an Operation that a task can co_await. The operation is the
// awaiter, so it lives in the coroutine frame and costs no allocation.
//
// A concrete awaitable derives from it, prepares the operation in its
// constructor and turns `result` into its own type in await_resume(). Backends
// see a plain Operation.

#ifndef RINGWAY_EXECUTOR_TASK_OPERATION_AWAIT_H_
#define RINGWAY_EXECUTOR_TASK_OPERATION_AWAIT_H_

#include <cerrno>
#include <coroutine>

#include "ringway/backends/operation.h"
#include "ringway/executor/task/task_context.h"

namespace ringway {

class OperationAwait : public Operation, public Suspension {
 public:
  bool await_ready() const noexcept { return false; }

  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    if (!Park(leaf, task)) return task.SkipWait(leaf);
    Start();
    return true;
  }

 protected:
  // `on_done` runs when the operation has completed; it either calls
  // Restart() or, as its last step, Complete(). `on_cancel` must make the
  // await end.
  explicit OperationAwait(Function on_done = &OnDone,
                          CancelFunction on_cancel = &OnCancel)
      : Operation(on_done), Suspension(on_cancel, *this) {}
  // The same, with `describe` for dumps instead of "recv on fd 7".
  OperationAwait(Function on_done, CancelFunction on_cancel,
                 DescribeFunction describe)
      : Operation(on_done), Suspension(on_cancel, describe) {}

  // What these two do unless an awaitable needs more.
  static void OnDone(Runnable& entry) { Of(entry).Complete(); }
  static void OnCancel(Suspension& suspension);

  // The operation behind a Runnable or Suspension of this kind.
  static OperationAwait& Of(Runnable& entry) {
    return static_cast<OperationAwait&>(static_cast<Operation&>(entry));
  }
  static OperationAwait& Of(Suspension& suspension) {
    return static_cast<OperationAwait&>(suspension);
  }
  static const OperationAwait& Of(const Suspension& suspension) {
    return static_cast<const OperationAwait&>(suspension);
  }

  // The two halves of await_suspend(), for awaitables that do not start at
  // once. Park() returns false if the task is cancelled; the operation has
  // then ended as cancelled.
  bool Park(std::coroutine_handle<> leaf, TaskContext& task) {
    task_ = &task;
    if (task.Park(leaf, *this)) [[likely]] {
      return true;
    }
    state = OpState::kDone;
    result = -ECANCELED;
    return false;
  }
  void Start() { task_->loop().Start(*this); }

  // Starts it again, for example after a short transfer. Returns false and
  // does nothing unless MayContinue().
  bool Restart();
  // False if the task was cancelled meanwhile, or this await by its deadline:
  // nothing more may be started then.
  bool MayContinue() const;

  // Resumes the task at once; must be the last step of an `on_done` function.
  void Complete() { task_->Resume(); }
  // Ends an operation that was not started, or not restarted, with `result`,
  // and wakes the task.
  void CompleteUnstarted(int32_t result);

  TaskContext& task() { return *task_; }

 private:
  TaskContext* task_ = nullptr;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_OPERATION_AWAIT_H_
