// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/structured/wait_limit.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>

#include "ringway/core/time/clock.h"

namespace ringway::internal {

absl::Status DeadlineExceeded(const TimeLimit& limit,
                              std::string_view waited_for) {
  if (limit.has_passed()) {
    return absl::DeadlineExceededError(
        "the deadline had passed before it began");
  }
  // Not on the heap: with many clients there are many deadlines.
  char text[256];
  const int n =
      std::snprintf(text, sizeof(text), "deadline of %s exceeded%s%.*s",
                    absl::FormatDuration(limit.timeout()).c_str(),
                    waited_for.empty() ? "" : " waiting for ",
                    static_cast<int>(waited_for.size()), waited_for.data());
  return absl::DeadlineExceededError(std::string_view(
      text, std::min(static_cast<size_t>(n), sizeof(text) - 1)));
}

bool WaitLimit::Begin(TaskContext& task) {
  task_ = &task;
  began_ = true;
  if (task.cancelled()) return true;
  limit_.Begin(task.loop().backend().clock().Now());
  if (!limit_.has_passed()) return true;
  began_ = false;
  exceeded_ = DeadlineExceeded(limit_, "");
  return false;
}

void WaitLimit::Arm() {
  if (!task_->waits() || limit_.deadline().is_infinite()) return;
  timer_.on_fired = this;
  task_->loop().ArmTimer(timer_, limit_.deadline());
}

void WaitLimit::CallOff() {
  if (timer_.armed()) task_->loop().DisarmTimer(timer_);
  if (linked()) Unlink();  // it has fired and is about to run
}

void WaitLimit::OnFired(Runnable& entry) {
  WaitLimit& self = static_cast<WaitLimit&>(entry);
  TaskContext& task = *self.task_;
  if (!task.waits()) return;  // its result, or a cancel, came first
  self.exceeded_ = DeadlineExceeded(self.limit_, task.WaitsFor());
  task.EndWait();
}

}  // namespace ringway::internal
