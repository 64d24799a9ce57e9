// SPDX-License-Identifier: Apache-2.0
//
// CancelSource and CancelToken: cancelling work without its handle, with a
// reason.
//
//   ringway::CancelSource source;
//   Spawn(WithToken(source.token(), Crawl(site))).Detach();
//   ...
//   source.Cancel(absl::CancelledError("the site was closed"));
//
// Sources form trees: cancelling one cancels those made from its token. If
// one task starts others and waits for them, a TaskScope does all of this.

#ifndef RINGWAY_EXECUTOR_TASK_CANCEL_TOKEN_H_
#define RINGWAY_EXECUTOR_TASK_CANCEL_TOKEN_H_

#include <optional>
#include <type_traits>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/check.h"
#include "ringway/executor/structured/limited_await.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/cancel_state.h"
#include "ringway/executor/task/event.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/executor/task/task_context.h"

namespace ringway {

class CancelSource;

// Observes a CancelSource. May be copied; keeps the shared state alive.
//
// Threads: the source's only (checked), while that thread exists.
class CancelToken {
 public:
  // Of no source: never cancelled.
  CancelToken() = default;
  bool has_source() const { return state_.has_value(); }

  // False until the source, or one that it was made from, is cancelled.
  bool cancelled() const { return has_source() && !state()->reason().ok(); }

  // The reason of the cancel; OK until then.
  absl::Status reason() const {
    return has_source() ? state()->reason() : absl::OkStatus();
  }

  // Waits until the token is cancelled; returns at once if it is. The token
  // must outlive the wait, and have a source (checked). No allocation.
  //
  // Errors:       Cancelled if the waiting task was cancelled, not the token.
  Event::WaitOp Cancelled() {
    RINGWAY_CHECK(has_source(),
                  "a CancelToken of no source was awaited: nobody cancels it");
    return state()->cancelled().Wait();
  }

  // A source that is cancelled with this token, or earlier on its own.
  CancelSource Child() const;

  // Runs `listener` once when the token is cancelled; now if it is already.
  // If it is still linked, unlink it before destroying it.
  void AddListener(CancelListener& listener) const {
    if (has_source()) state()->AddListener(listener);
  }

 private:
  friend class CancelSource;
  explicit CancelToken(internal::CancelStateRef state)
      : state_(std::move(state)) {}

  const internal::CancelStateRef& state() const { return *state_; }

  // Of a token that was moved from, a null reference.
  std::optional<internal::CancelStateRef> state_;
};

// Move-only. Destroying it cancels nothing.
//
// Threads: the one that made it (checked), while that thread exists. From
//          another thread, Post() the cancel to its executor.
class [[nodiscard]] CancelSource {
 public:
  CancelSource() : token_(internal::CancelState::New()) {}
  // Cancelled with `parent`; at once if that is cancelled.
  explicit CancelSource(const CancelToken& parent)
      : token_(parent.has_source()
                   ? internal::CancelState::NewChild(parent.state())
                   : internal::CancelState::New()) {}
  CancelSource(CancelSource&&) = default;
  CancelSource& operator=(CancelSource&&) = default;

  // Cancels all tokens of this source with `reason`, which must not be OK
  // (checked); the reason of the first cancel is kept. Sources made from the
  // tokens are cancelled first, the newest before the others, then this
  // source's listeners run, also newest first. The stack grows with the depth
  // of that tree.
  void Cancel(const absl::Status& reason = CancelledStatus()) {
    token_.state()->Cancel(reason);
  }

  bool cancelled() const { return token_.cancelled(); }
  const CancelToken& token() const { return token_; }

 private:
  CancelToken token_;
};

inline CancelSource CancelToken::Child() const { return CancelSource(*this); }

namespace internal {

// Waits until `child` has ended. Cancels it when `token` or the waiting task
// is cancelled. True if the token came first.
Task<bool> WaitWithToken(CancelToken token, JoinHandleBase& child);

// Ends one wait of a task with a token, not the task: the part of WithToken()
// that does not depend on the awaitable's type. As WaitLimit.
class TokenLimit : private CancelListener {
 public:
  explicit TokenLimit(const CancelToken& token)
      : CancelListener(&OnToken), token_(token) {}
  TokenLimit(const TokenLimit&) = delete;
  TokenLimit& operator=(const TokenLimit&) = delete;
  ~TokenLimit() { CallOff(); }

  bool Begin(TaskContext& task);
  void Arm();
  void CallOff() {
    if (linked()) Unlink();
  }
  absl::Status exceeded() const { return token_.reason(); }
  bool began() const { return task_ != nullptr; }
  bool ended_wait() const { return ended_wait_; }

 private:
  static void OnToken(CancelListener& listener);

  const CancelToken& token_;
  TaskContext* task_ = nullptr;  // null: the wait must not begin
  bool ended_wait_ = false;
};

}  // namespace internal

// Runs `task` as a separate task, cancels it when `token` is cancelled, and
// waits until it has ended. If the token is cancelled already, it never starts.
//
// Result:       the result of joining the task, also after the cancel if the
//               task ended with OK.
// Errors:       the token's reason() if the task was cancelled by the token and
//               ended as Cancelled. Otherwise those of the task, also after the
//               cancel. Rethrows the task's exception.
// Cancellation: cancels the task and waits for it.
// Cost:         no allocation except frames.
template <typename T>
Task<JoinResult<T>> WithToken(CancelToken token, Task<T> task) {
  JoinHandle<T> child = Spawn(std::move(task));
  const bool cancelled = co_await internal::WaitWithToken(token, child);
  JoinResult<T> result = child.TakeResult();
  if (cancelled && internal::EndedAsCancelled(result)) co_return token.reason();
  co_return std::move(result);
}

// Ends the wait for `awaitable` when `token` is cancelled; the waiting task is
// not cancelled. An awaitable is what WithTimeout() takes. If the token is
// cancelled already, the wait never begins.
//
//   absl::StatusOr<size_t> n = co_await WithToken(token, stream.Read(buffer));
//
// Result:       the result of the awaitable; a StatusOr<T> for a T and a Status
//               for void, as if joining a task.
// Errors:       the token's reason() if the token ended the wait and it ended
//               as Cancelled. Otherwise the awaitable's own: a result that
//               raced the token is kept, so a read that was ended has taken no
//               bytes.
// Ownership:    await it in the expression that makes it: it refers to the
//               awaitable and to the token, which must outlive the wait.
// Cancellation: as the awaitable.
// Cost:         a link in a list: no allocation, no task.
template <typename A>
requires(!internal::kIsTask<std::remove_cvref_t<A>>)
    LimitedAwait<internal::TokenLimit, A> WithToken(
        const CancelToken& token ABSL_ATTRIBUTE_LIFETIME_BOUND,
        A&& awaitable ABSL_ATTRIBUTE_LIFETIME_BOUND) {
  return LimitedAwait<internal::TokenLimit, A>(token,
                                               std::forward<A>(awaitable));
}

// Spawns WithToken().
template <typename T>
JoinHandle<JoinResult<T>> Spawn(CancelToken token, Task<T> task) {
  return Spawn(WithToken(std::move(token), std::move(task)));
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_CANCEL_TOKEN_H_
