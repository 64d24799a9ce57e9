// SPDX-License-Identifier: Apache-2.0
//
// TaskInfo: a snapshot of a task's state, for diagnostics.

#ifndef RINGWAY_EXECUTOR_DIAGNOSTICS_TASK_INFO_H_
#define RINGWAY_EXECUTOR_DIAGNOSTICS_TASK_INFO_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "ringway/core/containers/slab.h"

namespace ringway {

enum class TaskState : uint8_t {
  kNotStarted,  // spawned, has not run yet
  kRunning,     // the calling task
  kReady,       // woken, has not run yet
  kWaiting,     // see waits_for
  kEnded,       // its result has not been taken
};

struct TaskInfo {
  SlabKey id;
  SlabKey parent;  // the task that spawned it; invalid if no task did
  std::string name;
  TaskState state;
  std::string waits_for;   // such as "recv on fd 7"; empty unless kWaiting
  absl::Duration waiting;  // how long; zero unless kWaiting
  bool cancelled;          // it was cancelled
};

// "not started", "running", "ready", "waiting" or "ended".
std::string_view TaskStateName(TaskState state);

// One line for each:
//   #4.1 "accept 127.0.0.1:7878" of #0.1: waiting 2.5s for accept on fd 5
std::string FormatTasks(std::span<const TaskInfo> tasks);

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_DIAGNOSTICS_TASK_INFO_H_
