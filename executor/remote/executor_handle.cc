// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/remote/executor_handle.h"

#include "ringway/core/check.h"

namespace ringway {

ExecutorHandle::ExecutorHandle(Executor& executor)
    : inbox_(executor.loop().inbox()) {
  executor.loop().CheckThread("an executor");
}

ExecutorHandle ExecutorHandle::Current() {
  Executor* executor = Executor::Current();
  RINGWAY_CHECK(executor != nullptr,
                "ExecutorHandle::Current() outside of a running executor");
  return ExecutorHandle(*executor);
}

absl::Status ExecutorHandle::Post(absl::AnyInvocable<void()> fn) const {
  if (inbox_ == nullptr)
    return absl::UnavailableError("the ExecutorHandle refers to no executor");
  return inbox_->Post(std::move(fn));
}

}  // namespace ringway
