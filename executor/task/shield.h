// SPDX-License-Identifier: Apache-2.0
//
// Shield: while one is up, its task does not notice that it was cancelled.
//
// For the few lines that must run to their end, such as giving back what an
// interrupted exchange has taken. Bound them by a deadline of their own:
// nothing else can end them early.
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

// A local variable of a coroutine that a task runs. Shields nest. When the last
// one goes, a cancel that came meanwhile takes effect at the next wait.
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
