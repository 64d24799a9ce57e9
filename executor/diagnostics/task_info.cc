// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/diagnostics/task_info.h"

#include "absl/strings/str_cat.h"

namespace ringway {
namespace {

std::string FormatId(SlabKey id) {
  return absl::StrCat("#", id.index, ".", id.generation);
}

}  // namespace

std::string_view TaskStateName(TaskState state) {
  switch (state) {
    case TaskState::kNotStarted:
      return "not started";
    case TaskState::kRunning:
      return "running";
    case TaskState::kReady:
      return "ready";
    case TaskState::kWaiting:
      return "waiting";
    case TaskState::kEnded:
      return "ended";
  }
  return "?";
}

std::string FormatTasks(std::span<const TaskInfo> tasks) {
  std::string text;
  for (const TaskInfo& task : tasks) {
    absl::StrAppend(&text, FormatId(task.id));
    if (!task.name.empty()) absl::StrAppend(&text, " \"", task.name, "\"");
    if (task.parent.valid())
      absl::StrAppend(&text, " of ", FormatId(task.parent));
    absl::StrAppend(&text, ": ", TaskStateName(task.state));
    if (task.state == TaskState::kWaiting) {
      absl::StrAppend(&text, " ", absl::FormatDuration(task.waiting), " for ",
                      task.waits_for);
    }
    absl::StrAppend(&text, task.cancelled ? ", cancelled\n" : "\n");
  }
  return text;
}

}  // namespace ringway
