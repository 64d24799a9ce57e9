// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/structured/first_ok.h"

#include <string_view>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "ringway/executor/task/shield.h"

namespace ringway::internal {

Task<JoinHandleBase*> Attempts::WaitForOne(absl::Duration stagger) {
  const std::span<JoinHandleBase*> running = running_.first(n_running_);
  JoinWait wait(running);
  const absl::Status ended = co_await WithTimeout(stagger, wait);
  if (!ended.ok()) {
    cancelled_ = absl::IsCancelled(ended);
    co_return nullptr;
  }
  JoinHandleBase* first = running[wait.first()];
  std::swap(running_[wait.first()], running_[--n_running_]);
  co_return first;
}

Task<void> Attempts::End() {
  const std::span<JoinHandleBase* const> running = running_.first(n_running_);
  for (JoinHandleBase* handle : running) handle->Cancel();
  Shield shield;
  co_await WaitForAll(running);
}

void Attempts::OnFailure(const absl::Status& failure) {
  if (n_failed_++ == 0) first_failure_ = failure;
}

absl::Status Attempts::Failure() const {
  if (n_failed_ == 0)
    return absl::InvalidArgumentError("FirstOk() of no tasks");
  if (n_failed_ == 1) return first_failure_;
  absl::Status failure(
      first_failure_.code(),
      absl::StrCat(first_failure_.message(),
                   first_failure_.message().empty() ? "(and " : " (and ",
                   n_failed_ - 1, n_failed_ == 2 ? " other" : " others",
                   " failed)"));
  first_failure_.ForEachPayload(
      [&failure](std::string_view type, const absl::Cord& payload) {
        failure.SetPayload(type, payload);
      });
  return failure;
}

}  // namespace ringway::internal
