// SPDX-License-Identifier: Apache-2.0
//
// TasksPage: what every task of a runtime waits for, as text.

#ifndef RINGWAY_RUNTIME_METRICS_TASKS_PAGE_H_
#define RINGWAY_RUNTIME_METRICS_TASKS_PAGE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/task/task.h"

namespace ringway {

// The most tasks of a worker that the page lists.
inline constexpr size_t kMostTasksListed = 10'000;

// For each worker its number of tasks and a line for each (FormatTasks()), or
// that it did not answer within `patience`.
//
// Cost: each worker looks at all of its tasks in one turn.
Task<std::string> TasksPage(std::vector<ExecutorHandle> workers,
                            absl::Duration patience);

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_METRICS_TASKS_PAGE_H_
