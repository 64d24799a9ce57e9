// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/structured/when.h"

#include <algorithm>
#include <exception>

#include "ringway/core/check.h"
#include "ringway/executor/task/shield.h"

namespace ringway::internal {
namespace {

void CancelAll(std::span<JoinHandleBase* const> children) {
  for (JoinHandleBase* child : children) child->Cancel();
}

}  // namespace

Task<void> WaitForAll(std::span<JoinHandleBase* const> children) {
  bool cancelled = false;
  for (JoinHandleBase* child : children) {
    JoinWait wait(*child);
    const absl::Status waited = co_await wait;
    if (waited.ok()) continue;
    cancelled = true;
    break;
  }
  if (!cancelled) co_return;
  CancelAll(children);
  Shield shield;
  co_await WaitForAll(children);
}

Task<size_t> WaitForFirst(std::span<JoinHandleBase* const> children) {
  RINGWAY_CHECK(!children.empty(), "WhenAny() of no tasks would never end");
  JoinWait race(children);
  const absl::Status raced = co_await race;
  // Also if this task was cancelled: then all are losers.
  CancelAll(children);
  Shield shield;
  if (!raced.ok()) {
    JoinWait first_of_losers(children);
    static_cast<void>(co_await first_of_losers);
    co_await WaitForAll(children);
    co_return first_of_losers.first();
  }
  co_await WaitForAll(children);
  co_return race.first();
}

void RethrowFailure(const JoinHandleBase& child) {
  if (std::exception_ptr failure = child.exception())
    std::rethrow_exception(std::move(failure));
}

}  // namespace ringway::internal
