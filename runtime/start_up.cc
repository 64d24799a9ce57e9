// SPDX-License-Identifier: Apache-2.0

#include "ringway/runtime/start_up.h"

#include <utility>

namespace ringway::internal {

void StartUp::Report(absl::Status status) {
  std::lock_guard<std::mutex> lock(mutex_);
  --left_;
  if (!status.ok() && failed_.ok()) failed_ = std::move(status);
  changed_.notify_one();
}

absl::Status StartUp::Wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return left_ == 0 || !failed_.ok(); });
  return failed_;
}

}  // namespace ringway::internal
