// SPDX-License-Identifier: Apache-2.0
//
// SpawnOn: runs a function as a task of another executor and returns its
// result.
//
// The function, Find(Key) here, may use data of that worker only:
//
//   absl::StatusOr<Page> page = co_await ringway::SpawnOn(owner, Find, key);

#ifndef RINGWAY_EXECUTOR_REMOTE_SPAWN_ON_H_
#define RINGWAY_EXECUTOR_REMOTE_SPAWN_ON_H_

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/remote/pooled.h"
#include "ringway/executor/remote/remote_call.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"

namespace ringway {

namespace internal {

// The result type of a function that a task runs: T if it returns a Task<T>.
template <typename R>
struct SpawnedResultOf {
  using type = std::decay_t<R>;
  static constexpr bool kIsTask = false;
};
template <typename T>
struct SpawnedResultOf<Task<T>> {
  using type = T;
  static constexpr bool kIsTask = true;
};

template <typename F, typename... Args>
using SpawnedResult = SpawnedResultOf<
    std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>>;

// A call with a known result type, whose function type is erased.
template <typename T>
class RemoteCallGiving : public RemoteCall {
 public:
  using RemoteCall::RemoteCall;

  // Once, when done().
  JoinResult<T> TakeResult() {
    DropFunction();
    if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
    if (!result_.has_value()) return WhyNoResult();
    return *std::move(result_);
  }

 protected:
  std::optional<JoinResult<T>> result_;
  std::exception_ptr exception_;
};

template <typename T, typename F, typename... Args>
class RemoteCallOf final : public RemoteCallGiving<T> {
 public:
  template <typename G, typename... As>
  explicit RemoteCallOf(ExecutorHandle target, G&& fn, As&&... args)
      : RemoteCallGiving<T>(std::move(target)),
        function_(std::in_place, std::forward<G>(fn),
                  std::forward<As>(args)...) {}

  void DropFunction() override { function_.reset(); }

 private:
  // `running` keeps this alive.
  Task<void> Run(RunningCall running) override {
    static_cast<void>(running);
    try {
      if constexpr (SpawnedResult<F, Args...>::kIsTask) {
        Task<T> task = Call();
        if constexpr (std::is_void_v<T>) {
          co_await std::move(task);
          this->result_.emplace();
        } else {
          this->result_.emplace(co_await std::move(task));
        }
      } else if constexpr (std::is_void_v<T>) {
        Call();
        this->result_.emplace();
      } else {
        this->result_.emplace(Call());
      }
    } catch (...) {
      this->exception_ = std::current_exception();
    }
    function_.reset();  // where it ran
    co_return;
  }

  decltype(auto) Call() {
    return std::apply(
        [](auto& fn, auto&... args) -> decltype(auto) {
          return std::invoke(std::move(fn), std::move(args)...);
        },
        *function_);
  }

  std::optional<std::tuple<F, Args...>> function_;
};

}  // namespace internal

// The caller's handle of a SpawnOn(). Dropping it detaches the call: its
// result or exception is then dropped.
//
// Threads: one at a time; only tasks can await it.
template <typename T>
class [[nodiscard]] RemoteHandle {
 public:
  class JoinOp;

  // Empty.
  RemoteHandle() = default;
  RemoteHandle(RemoteHandle&&) = default;
  RemoteHandle& operator=(RemoteHandle&&) = default;
  ~RemoteHandle() = default;

  // False once its result was taken or it was moved from.
  bool valid() const { return call_ != nullptr; }

  // True if an await would not wait.
  bool done() const { return call_ == nullptr || call_->done(); }

  // Cancels the task, as JoinHandle::Cancel() does; await the handle to wait
  // for its end.
  void Cancel() {
    if (call_ != nullptr) internal::RemoteCall::Cancel(call_);
  }

  // Waits for the end of the task. May be awaited once, by any task; the
  // handle must not be moved meanwhile.
  //
  // Result:       the function's result; the handle is then empty.
  // Errors:       the function's own. Rethrows its exception.
  //               Cancelled if it never ran, or was destroyed with its executor
  //               before it had ended;
  //               Unavailable if its executor had ended;
  //               ResourceExhausted if it has max_tasks already, or no memory
  //               for another;
  //               FailedPrecondition for an empty handle, and for an executor
  //               of the parent process in a forked child.
  // Cancellation: two-phase: cancels the task, waits for it and returns its
  //               result.
  // Cost:         no allocation but from the frame pool.
  JoinOp operator co_await() { return JoinOp(*this); }

  // The result of a call that is done(), without a co_await. If it is not
  // done, returns FailedPrecondition and leaves the handle unchanged.
  JoinResult<T> TakeResult() {
    if (call_ == nullptr)
      return absl::FailedPreconditionError("the RemoteHandle is empty");
    if (!call_->done())
      return absl::FailedPreconditionError("the task has not ended");
    return std::exchange(call_, nullptr)->TakeResult();
  }

 private:
  using Call = internal::RemoteCallGiving<T>;
  template <typename F, typename... Args>
  friend auto SpawnOn(const ExecutorHandle& target, F&& fn, Args&&... args);

  explicit RemoteHandle(std::shared_ptr<Call> call) : call_(std::move(call)) {}

  std::shared_ptr<Call> call_;
};

template <typename T>
class [[nodiscard]] RemoteHandle<T>::JoinOp : public internal::RemoteWait {
 public:
  explicit JoinOp(RemoteHandle& handle)
      : RemoteWait(handle.call_), handle_(handle) {}
  JoinResult<T> await_resume() { return handle_.TakeResult(); }

 private:
  RemoteHandle& handle_;
};

// Calls `fn(args...)` on `target`'s thread, in a new task. If it returns a
// Task, that runs as part of the new task. It starts after the entries that
// are ready there already; calls of one thread start in order.
//
// Result: a handle to await or to drop.
// Ownership: function and arguments are decayed copies, as for std::thread, and
//            are moved into the call. They are destroyed on the target's thread
//            if it ran, and on the caller's if the target had ended. The
//            frame is the target's; the result is moved over.
// Threads:   any. `target` may be the caller's own executor.
// Cost:      no allocation but from the frame pool; a system call only if the
//            target sleeps.
template <typename F, typename... Args>
[[nodiscard]] auto SpawnOn(const ExecutorHandle& target, F&& fn,
                           Args&&... args) {
  using T = typename internal::SpawnedResult<F, Args...>::type;
  auto call = internal::MakePooled<
      internal::RemoteCallOf<T, std::decay_t<F>, std::decay_t<Args>...>>(
      target, std::forward<F>(fn), std::forward<Args>(args)...);
  internal::RemoteCall::Start(call);
  return RemoteHandle<T>(std::move(call));
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_REMOTE_SPAWN_ON_H_
