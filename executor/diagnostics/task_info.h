// SPDX-License-Identifier: Apache-2.0
//
// TaskInfo: what there is to know of a task from outside, for people who ask
// why nothing happens.

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
  kNotStarted,  // spawned, and its turn has not come
  kRunning,     // the one that asks
  kReady,       // woken, and its turn has not come
  kWaiting,     // see waits_for
  kEnded,       // nobody has taken its result yet
};

struct TaskInfo {
  SlabKey id;
  SlabKey parent;  // who spawned it; not valid: no task did
  std::string name;
  TaskState state;
  std::string waits_for;   // such as "recv on fd 7"; empty unless kWaiting
  absl::Duration waiting;  // for so long; zero unless kWaiting
  bool cancelled;          // it was asked to end
};

// "not started", "running", "ready", "waiting" or "ended".
std::string_view TaskStateName(TaskState state);

// A line for each:
//   #4.1 "accept 127.0.0.1:7878" of #0.1: waiting 2.5s for accept on fd 5
std::string FormatTasks(std::span<const TaskInfo> tasks);

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_DIAGNOSTICS_TASK_INFO_H_
