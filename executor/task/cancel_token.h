// SPDX-License-Identifier: Apache-2.0
//
// CancelSource and CancelToken: ending work from where its handle is not at
// hand, and for a reason.
//
//   ringway::CancelSource source;
//   Spawn(WithToken(source.token(), Crawl(site))).Detach();
//   ...
//   source.Cancel(absl::CancelledError("the site was closed"));
//
// Sources form trees: cancelling one cancels those made from its token. Where
// one task starts others and waits for them, a TaskScope does it all by itself.

#ifndef RINGWAY_EXECUTOR_TASK_CANCEL_TOKEN_H_
#define RINGWAY_EXECUTOR_TASK_CANCEL_TOKEN_H_

#include <utility>

#include "absl/status/status.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/cancel_state.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"

namespace ringway {

class CancelSource;

// What a CancelSource is listened to by. Copied freely; keeps what it needs of
// the source alive.
//
// Threads: that of the source only (checked), while that thread lives.
class CancelToken {
 public:
  // False until the source, or one that it was made from, is cancelled.
  bool cancelled() const { return !reason().ok(); }

  // Why; OK until then.
  const absl::Status& reason() const { return state_->reason(); }

  // Waits until the token is cancelled; at once if it is. The token must
  // outlive the wait. No allocation.
  //
  // Errors:       Cancelled if the waiting task was cancelled, and not the
  //               token.
  Event::WaitOp Cancelled() { return state_->cancelled().Wait(); }

  // A source that is cancelled with this token, or by itself before.
  CancelSource Child() const;

  // For what reacts to a cancel otherwise: `listener` is told once, now if the
  // token is cancelled. Unlink it before it goes, if it is still linked.
  void AddListener(CancelListener& listener) const {
    state_->AddListener(listener);
  }

 private:
  friend class CancelSource;
  explicit CancelToken(internal::CancelStateRef state)
      : state_(std::move(state)) {}

  internal::CancelStateRef state_;
};

// Move-only. Its end cancels nothing.
//
// Threads: the one that made it (checked), while that lives. From another, post
// to its executor.
class [[nodiscard]] CancelSource {
 public:
  CancelSource() : token_(internal::CancelState::New({})) {}
  // Cancelled with `parent`; now, if that is.
  explicit CancelSource(const CancelToken& parent)
      : token_(internal::CancelState::NewChild(parent.state_)) {}
  CancelSource(CancelSource&&) = default;
  CancelSource& operator=(CancelSource&&) = default;

  // Cancels all tokens of this source, for `reason`, which is not OK (checked);
  // the first cancel's reason stays. Sources made from the tokens go first, the
  // newest first of all, then what listens here, newest first too. The stack
  // grows with the depth of that tree.
  void Cancel(const absl::Status& reason = CancelledStatus()) {
    token_.state_->Cancel(reason);
  }

  bool cancelled() const { return token_.cancelled(); }
  const CancelToken& token() const { return token_; }

 private:
  CancelToken token_;
};

inline CancelSource CancelToken::Child() const { return CancelSource(*this); }

namespace internal {

// Waits until `child` has ended, cancelling it with `token` or when the waiting
// task is cancelled. True if it was the token that came first.
Task<bool> WaitWithToken(CancelToken token, JoinHandleBase& child);

}  // namespace internal

// Runs `task` as a task of its own, cancels it when `token` is cancelled, and
// waits for it to be gone. If the token is cancelled already it never starts.
//
// Result:       What joining the task gives, also after the cancel if it ended
//               with an OK result all the same: nothing is lost.
// Errors:       The token's reason() if it was cancelled for the token and
// ended
//               as Cancelled. Those of the task otherwise, also after the
//               cancel. Throws what the task threw.
// Cancellation: Cancels the task and waits for it.
// Cost:         No allocation but frames.
template <typename T>
Task<JoinResult<T>> WithToken(CancelToken token, Task<T> task) {
  JoinHandle<T> child = Spawn(std::move(task));
  const bool cancelled = co_await internal::WaitWithToken(token, child);
  JoinResult<T> result = child.TakeResult();
  if (cancelled && internal::EndedAsCancelled(result)) co_return token.reason();
  co_return std::move(result);
}

// Spawns WithToken().
template <typename T>
JoinHandle<JoinResult<T>> Spawn(CancelToken token, Task<T> task) {
  return Spawn(WithToken(std::move(token), std::move(task)));
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_CANCEL_TOKEN_H_
