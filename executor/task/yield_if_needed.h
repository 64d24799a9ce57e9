// SPDX-License-Identifier: Apache-2.0
//
// YieldIfNeeded: for tasks that compute: lets other tasks run once this turn
// has lasted long enough; until then it costs a clock reading.
//
//   for (const Block& block : blocks) {
//     Compress(block);
//     co_await ringway::YieldIfNeeded();
//   }

#ifndef RINGWAY_EXECUTOR_TASK_YIELD_IF_NEEDED_H_
#define RINGWAY_EXECUTOR_TASK_YIELD_IF_NEEDED_H_

#include <coroutine>

#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task_context.h"

namespace ringway {

class [[nodiscard]] YieldIfNeededOp {
 public:
  bool await_ready() const noexcept { return false; }
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    if (!task.executor().TakeBreakIfNeeded()) return task.SkipWait(leaf);
    task.ParkBriefly(leaf);
    task.Wake();
    return true;
  }
  void await_resume() const noexcept {}
};

// Once the tasks of this turn have run for ExecutorOptions::time_slice, ends
// the tasks' part of the turn and continues in the next turn, after timers,
// messages and I/O. Before that, continues at once. Not a cancellation point.
//
// Cost: one clock reading, about 20 ns.
inline YieldIfNeededOp YieldIfNeeded() { return {}; }

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_YIELD_IF_NEEDED_H_
