// SPDX-License-Identifier: Apache-2.0
//
// LimitedAwait: the awaitable that WithTimeout(), WithDeadline() and
// WithToken() return for an awaitable. See timeout.h and
// executor/task/cancel_token.h.

#ifndef RINGWAY_EXECUTOR_STRUCTURED_LIMITED_AWAIT_H_
#define RINGWAY_EXECUTOR_STRUCTURED_LIMITED_AWAIT_H_

#include <coroutine>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/executor/structured/awaiter_of.h"
#include "ringway/executor/structured/wait_limit.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task_context.h"

namespace ringway {

namespace internal {

// True if a wait ended as cancelled.
inline bool EndedAsCancelled(const absl::Status& result) {
  return absl::IsCancelled(result);
}
template <typename T>
bool EndedAsCancelled(const absl::StatusOr<T>& result) {
  return absl::IsCancelled(result.status());
}

}  // namespace internal

// Refers to the awaitable `A`, which need not be movable, and forwards to it:
// `A` parks the task, and cancelling, dumping and waking it work as without a
// limit. `Limit` ends the wait early: a WaitLimit, or what has the same
// members.
template <typename Limit, typename A>
class [[nodiscard]] LimitedAwait {
 public:
  using Result = JoinResult<internal::AwaitResult<A>>;

  template <typename Bound>
  LimitedAwait(const Bound& bound, A&& awaitable)
      : limit_(bound),
        awaiter_(internal::AwaiterOf(std::forward<A>(awaitable))) {}
  LimitedAwait(const LimitedAwait&) = delete;
  LimitedAwait& operator=(const LimitedAwait&) = delete;

  bool await_ready() const noexcept { return false; }

  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    TaskContext& task = leaf.promise().task();
    if (!limit_.Begin(task) || awaiter_.await_ready())
      return task.SkipWait(leaf);
    using Suspended = decltype(awaiter_.await_suspend(leaf));
    if constexpr (std::is_void_v<Suspended>) {
      awaiter_.await_suspend(leaf);
    } else {
      static_assert(std::is_same_v<Suspended, bool>,
                    "only what the loop continues can be ended early");
      if (!awaiter_.await_suspend(leaf)) return false;
    }
    limit_.Arm();
    return true;
  }

  Result await_resume() {
    limit_.CallOff();
    if (!limit_.began()) return limit_.exceeded();
    if constexpr (std::is_void_v<internal::AwaitResult<A>>) {
      awaiter_.await_resume();
      return absl::OkStatus();
    } else {
      Result result = awaiter_.await_resume();
      if (limit_.ended_wait() && internal::EndedAsCancelled(result))
          [[unlikely]] {
        result = limit_.exceeded();
      }
      return result;  // the only one, so that it is made in place
    }
  }

 private:
  Limit limit_;
  // An object, or a reference if the awaitable is its own awaiter.
  decltype(internal::AwaiterOf(std::declval<A>())) awaiter_;
};

template <typename A>
using TimedAwait = LimitedAwait<internal::WaitLimit, A>;

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_STRUCTURED_LIMITED_AWAIT_H_
