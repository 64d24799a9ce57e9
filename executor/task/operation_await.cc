// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/operation_await.h"

namespace ringway {

bool OperationAwait::Restart() {
  if (!MayContinue()) return false;
  Start();
  return true;
}

bool OperationAwait::MayContinue() const {
  return !task_->cancelled() && !task_->wait_ended();
}

void OperationAwait::CompleteUnstarted(int32_t unstarted_result) {
  state = OpState::kDone;
  result = unstarted_result;
  task_->Wake();
}

void OperationAwait::OnCancel(Suspension& suspension) {
  OperationAwait& self = Of(suspension);
  self.task_->loop().Cancel(self);
}

}  // namespace ringway
