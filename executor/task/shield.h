// SPDX-License-Identifier: Apache-2.0
//
// Shield: defers cancellation of the current task during its lifetime.
//
// For the few lines that must run to completion, such as returning what an
// interrupted exchange has acquired. Bound them by a deadline: nothing else
// can end them early.
//
//   ringway::Task<absl::Status> Finish(Connection connection) {
//     ringway::Shield shield;
//     co_return co_await ringway::WithTimeout(absl::Seconds(1),
//                                             Farewell(connection));
//   }

#ifndef RINGWAY_EXECUTOR_TASK_SHIELD_H_
#define RINGWAY_EXECUTOR_TASK_SHIELD_H_

#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/task_context.h"

namespace ringway {

// Use it as a local variable of a coroutine that a task runs. Shields nest.
// When the last one is destroyed, a deferred cancel takes effect at the next
// wait.
class [[nodiscard]] Shield {
 public:
  Shield() : task_(Executor::RunningTask("a Shield")) { task_.RaiseShield(); }
  Shield(const Shield&) = delete;
  Shield& operator=(const Shield&) = delete;
  ~Shield() { task_.LowerShield(); }

 private:
  TaskContext& task_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_SHIELD_H_
