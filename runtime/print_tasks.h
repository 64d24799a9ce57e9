// SPDX-License-Identifier: Apache-2.0

#ifndef RINGWAY_RUNTIME_PRINT_TASKS_H_
#define RINGWAY_RUNTIME_PRINT_TASKS_H_

#include "absl/status/status.h"
#include "ringway/executor/task/task.h"

namespace ringway::internal {

// An OnStart() that, on the first worker, prints the tasks of all workers on
// stderr for each SIGQUIT, until it is cancelled.
Task<absl::Status> PrintTasksOnQuit();

}  // namespace ringway::internal

#endif  // RINGWAY_RUNTIME_PRINT_TASKS_H_
