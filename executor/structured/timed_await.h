// SPDX-License-Identifier: Apache-2.0
//
// TimedAwait: the awaitable that WithTimeout() and WithDeadline() return for
// an awaitable. See timeout.h.

#ifndef RINGWAY_EXECUTOR_STRUCTURED_TIMED_AWAIT_H_
#define RINGWAY_EXECUTOR_STRUCTURED_TIMED_AWAIT_H_

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
// limit.
template <typename A>
class [[nodiscard]] TimedAwait {
 public:
  using Result = JoinResult<internal::AwaitResult<A>>;

  TimedAwait(const internal::TimeLimit& limit, A&& awaitable)
      : limit_(limit),
        awaiter_(internal::AwaiterOf(std::forward<A>(awaitable))) {}
  TimedAwait(const TimedAwait&) = delete;
  TimedAwait& operator=(const TimedAwait&) = delete;

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
                    "only what the loop continues can have a deadline");
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
      if (!limit_.exceeded().ok() && internal::EndedAsCancelled(result))
          [[unlikely]] {
        return limit_.exceeded();
      }
      return result;
    }
  }

 private:
  internal::WaitLimit limit_;
  // An object, or a reference if the awaitable is its own awaiter.
  decltype(internal::AwaiterOf(std::declval<A>())) awaiter_;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_STRUCTURED_TIMED_AWAIT_H_
