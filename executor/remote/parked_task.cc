// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/remote/parked_task.h"

#include <utility>

#include "ringway/executor/loop/loop.h"

namespace ringway::internal {

ParkedTask::ParkedTask(TaskContext& task)
    : InboxMessage(&Received), home_(task.loop().inbox()), task_(&task) {}

void ParkedTask::Wake(std::shared_ptr<ParkedTask> parked) {
  if (parked == nullptr) return;
  // Once sent, it and its loop may be destroyed before Send() returns.
  const std::shared_ptr<Inbox> home = std::move(parked->home_);
  ParkedTask& message = *parked;
  message.self_ = std::move(parked);
  if (!home->Send(message)) message.self_.reset();
}

void ParkedTask::Received(InboxMessage& message, bool accepted) {
  ParkedTask& self = static_cast<ParkedTask&>(message);
  const std::shared_ptr<ParkedTask> keep = std::move(self.self_);
  TaskContext* task = std::exchange(self.task_, nullptr);
  if (accepted && task != nullptr) task->Wake();
}

}  // namespace ringway::internal
