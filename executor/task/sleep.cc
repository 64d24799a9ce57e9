// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/sleep.h"

namespace ringway {

bool SleepOp::Begin(std::coroutine_handle<> leaf, TaskContext& task) {
  task_ = &task;
  if (!task.Park(leaf, *this)) {
    cancelled_ = true;
    return task.SkipWait(leaf);
  }
  timer_.on_fired = &task;
  Loop& loop = task.loop();
  // loop.now() is the start of the turn; counting from it would wake a long
  // turn's sleeper early.
  const MonotonicTime deadline =
      relative_ ? loop.backend().clock().Now() + duration_ : until_;
  loop.ArmTimer(timer_, deadline);
  return true;
}

SleepOp::~SleepOp() {
  // Only when the sleeping task's frame is destroyed where it sleeps.
  if (timer_.armed()) task_->loop().DisarmTimer(timer_);
}

void SleepOp::OnCancel(Suspension& suspension) {
  SleepOp& self = static_cast<SleepOp&>(suspension);
  if (!self.task_->loop().DisarmTimer(self.timer_))
    return;  // it has fired: the sleep is over
  self.cancelled_ = true;
  self.task_->Wake();
}

}  // namespace ringway
