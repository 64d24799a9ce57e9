// SPDX-License-Identifier: Apache-2.0
//
// RunBlocking: calls a function that may block, or computes for long, on a
// thread of a pool, while the task waits and its worker goes on.
//
//   absl::StatusOr<Digest> digest =
//       co_await ringway::RunBlocking(HashFile, path);

#ifndef RINGWAY_POOLS_BLOCKING_RUN_BLOCKING_H_
#define RINGWAY_POOLS_BLOCKING_RUN_BLOCKING_H_

#include <concepts>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "ringway/executor/remote/pooled.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/pools/blocking/blocking_call.h"
#include "ringway/pools/blocking/blocking_pool.h"
#include "ringway/pools/job_pool.h"

namespace ringway {

template <typename T>
class [[nodiscard]] RunBlockingOp : public internal::BlockingWait {
 public:
  using Call = internal::BlockingCallGiving<T>;
  RunBlockingOp(std::shared_ptr<JobPool> pool, std::shared_ptr<Call> call)
      : BlockingWait(std::move(pool), call), call_(std::move(call)) {}

  JoinResult<T> await_resume() {
    if (absl::Status s = status(); !s.ok()) return s;
    return call_->TakeResult();
  }

 private:
  const std::shared_ptr<Call> call_;
};

// Calls `fn(args...)` on a thread of `pool`, when the result is awaited.
//
// Result:       what the function returns: T itself if that is a Status or a
//               StatusOr, Status for void, else StatusOr<T>. Rethrows its
//               exception.
// Errors:       ResourceExhausted if the pool has no room for another call;
//               Unavailable if it has ended; FailedPrecondition if it belongs
//               to the parent process. Cancelled.
// Ownership:    function and arguments are decayed copies, as for std::thread.
//               They are destroyed on the pool's thread if the function ran,
//               and so is a result whose caller has left.
// Threads:      a task's. The function must use no object of a worker.
// Cancellation: a call that has not begun never runs. The task leaves one that
//               runs, at once, and that goes on alone: what it uses must be its
//               own. A result that was there already is kept.
// Cost:         no allocation but from the frame pool; a few microseconds to
//               reach another thread and to come back.
template <typename F, typename... Args>
requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
auto RunBlockingOn(std::shared_ptr<JobPool> pool, F&& fn, Args&&... args) {
  using T = std::decay_t<
      std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>>;
  return RunBlockingOp<T>(
      std::move(pool),
      internal::MakePooled<
          internal::BlockingCallOf<T, std::decay_t<F>, std::decay_t<Args>...>>(
          std::in_place, std::forward<F>(fn), std::forward<Args>(args)...));
}

// The same on the pool of the calling task's executor (blocking_pool.h).
template <typename F, typename... Args>
requires std::invocable<std::decay_t<F>, std::decay_t<Args>...>
auto RunBlocking(F&& fn, Args&&... args) {
  return RunBlockingOn(BlockingPool(), std::forward<F>(fn),
                       std::forward<Args>(args)...);
}

}  // namespace ringway

#endif  // RINGWAY_POOLS_BLOCKING_RUN_BLOCKING_H_
