// SPDX-License-Identifier: Apache-2.0
//
// Task<T>: a coroutine that runs on an Executor.
//
// Lazy: it does not run until another task awaits it or it is passed to
// Spawn(). Move-only; dropping a task that never started destroys it with its
// arguments. Awaiting one costs no allocation except its frame, which comes
// from the worker's FrameAllocator, and does not grow the stack. Other tasks
// may run at any co_await, even if it need not wait: a task that awaits in an
// endless loop does not starve them.
//
//   ringway::Task<int> Answer() { co_return 42; }
//   ringway::Task<absl::Status> Ask() {
//     int answer = co_await Answer();
//     ...
//   }
//
// g++ 12 destroys some temporaries inside co_await expressions twice
// (capturing lambdas, aggregates): move named locals into the task instead.

#ifndef RINGWAY_EXECUTOR_TASK_TASK_H_
#define RINGWAY_EXECUTOR_TASK_TASK_H_

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "ringway/core/check.h"
#include "ringway/core/memory/frame_allocator.h"
#include "ringway/executor/task/control_transfer.h"
#include "ringway/executor/task/task_context.h"

namespace ringway {

template <typename T>
class Task;

namespace internal {

class TaskPromiseBase {
 public:
  static void* operator new(size_t n_bytes) {
    return FrameAllocator::Allocate(n_bytes);
  }
  static void operator delete(void* frame) { FrameAllocator::Free(frame); }

  std::suspend_always initial_suspend() noexcept { return {}; }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename P>
    ControlTransfer::Result await_suspend(
        std::coroutine_handle<P> self) const noexcept {
      TaskPromiseBase& promise = self.promise();
      if (promise.awaiter_) {
        return ControlTransfer::To(promise.task_->transfer_slot(),
                                   promise.awaiter_);
      }
      promise.task_->MarkFinished();
      return ControlTransfer::ToNobody();
    }
    void await_resume() const noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }

  void unhandled_exception() noexcept { exception_ = std::current_exception(); }

  TaskContext& task() { return *task_; }
  // True once it belongs to a task.
  bool bound() const { return task_ != nullptr; }
  std::exception_ptr exception() const { return exception_; }

  // The root of a spawned task.
  void BindTo(TaskContext& task) { task_ = &task; }
  // Awaited by a coroutine of the same task.
  void BindTo(TaskContext& task, std::coroutine_handle<> awaiter) {
    task_ = &task;
    awaiter_ = awaiter;
  }

 protected:
  void RethrowIfFailed() {
    if (exception_) [[unlikely]] {
      std::rethrow_exception(std::exchange(exception_, nullptr));
    }
  }

 private:
  TaskContext* task_ = nullptr;
  std::coroutine_handle<> awaiter_;
  std::exception_ptr exception_;
};

template <typename T>
class TaskPromiseOf final : public TaskPromiseBase {
 public:
  Task<T> get_return_object() noexcept;

  template <typename U = T>
  requires std::convertible_to<U&&, T>
  void return_value(U&& value) { value_.emplace(std::forward<U>(value)); }

  // Returns the result or rethrows the body's exception. Once, after the end.
  T TakeResult() {
    RethrowIfFailed();
    return *std::move(value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromiseOf<void> final : public TaskPromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void TakeResult() { RethrowIfFailed(); }
};

}  // namespace internal

template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::TaskPromiseOf<T>;
  using value_type = T;
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : coroutine_(other.Release()) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (coroutine_) coroutine_.destroy();
      coroutine_ = other.Release();
    }
    return *this;
  }
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }

  // False once moved from.
  bool valid() const { return static_cast<bool>(coroutine_); }

  // True once awaited: the coroutine has started. Requires valid().
  bool awaited() const { return coroutine_.promise().bound(); }

  // Runs the coroutine as part of the awaiting task and returns its value or
  // rethrows its exception.
  auto operator co_await() && noexcept { return Awaiter(coroutine_); }

  // Transfers ownership of the coroutine to the caller, which must destroy
  // it.
  [[nodiscard]] Handle Release() noexcept {
    return std::exchange(coroutine_, nullptr);
  }

 private:
  friend promise_type;

  struct Awaiter {
    explicit Awaiter(Handle c) : child(c) {}
    bool await_ready() const {
      RINGWAY_CHECK(child && !child.promise().bound(),
                    "a task was awaited that had been moved from, or awaited "
                    "before");
      return false;
    }
    template <TaskPromise P>
    internal::ControlTransfer::Result await_suspend(
        std::coroutine_handle<P> parent) noexcept {
      TaskContext& task = parent.promise().task();
      child.promise().BindTo(task, parent);
      if (task.SkipWait(child)) [[unlikely]] {
        return internal::ControlTransfer::ToNobody();
      }
      return internal::ControlTransfer::To(task.transfer_slot(), child);
    }
    T await_resume() { return child.promise().TakeResult(); }

    // Owned by the Task object, which lives as long as the co_await.
    Handle child;
  };

  explicit Task(Handle coroutine) : coroutine_(coroutine) {}

  Handle coroutine_;
};

template <typename T>
Task<T> internal::TaskPromiseOf<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromiseOf>::from_promise(*this));
}

inline Task<void> internal::TaskPromiseOf<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromiseOf>::from_promise(*this));
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_TASK_H_
