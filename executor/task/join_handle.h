// SPDX-License-Identifier: Apache-2.0
//
// JoinHandle<T>: the owner's end of a spawned task.
//
// Awaiting it gives the task's result, once, to whichever task holds the handle
// then. Dropping it lets the task run on by itself. It may outlive its executor
// (loop_dependent.h), whose end empties it: joining gives FailedPrecondition.

#ifndef RINGWAY_EXECUTOR_TASK_JOIN_HANDLE_H_
#define RINGWAY_EXECUTOR_TASK_JOIN_HANDLE_H_

#include <coroutine>
#include <cstddef>
#include <exception>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/core/check.h"
#include "ringway/executor/task/task.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/executor/task/wait.h"

namespace ringway {

namespace internal {

// A join can fail where the task itself cannot: it may have been cancelled
// before it ran.
template <typename T>
struct JoinResultOf {
  using type = absl::StatusOr<T>;
};
template <>
struct JoinResultOf<void> {
  using type = absl::Status;
};
template <>
struct JoinResultOf<absl::Status> {
  using type = absl::Status;
};
template <typename T>
struct JoinResultOf<absl::StatusOr<T>> {
  using type = absl::StatusOr<T>;
};

}  // namespace internal

// What joining a Task<T> gives: T itself if it is a Status or StatusOr, Status
// for void, else StatusOr<T>.
template <typename T>
using JoinResult = typename internal::JoinResultOf<T>::type;

class JoinHandleBase;

namespace internal {

// Waits until the first of some tasks has ended, and leaves its result where it
// is. The handles must stay until the wait is over (checked).
class [[nodiscard]] JoinWait : public Wait<JoinWait> {
 public:
  explicit JoinWait(JoinHandleBase& handle)
      : Wait("the end of a task"), one_(&handle), handles_(&one_, 1) {}
  // At least one handle.
  explicit JoinWait(std::span<JoinHandleBase* const> handles)
      : Wait("the end of a task"), handles_(handles) {}
  // Has something to do only when the joiner's frame is destroyed where it
  // waits.
  ~JoinWait() { Disconnect(); }

  // Cancelled if it was the wait that ended and not a task.
  absl::Status await_resume() {
    return End() ? absl::OkStatus() : CancelledStatus();
  }

  // Which of the handles was the first whose task ended.
  size_t first() const { return first_; }

  // The executor's: a task that this waits for has ended.
  void OnTaskEnded(const TaskContext& ended);

  // Makes the tasks forget about this.
  void Disconnect();

 protected:
  // At the end of the wait: false if it was the wait that ended and not a task.
  bool End() {
    Disconnect();
    return first_ != kNone;
  }
  JoinHandleBase& handle() { return *one_; }

 private:
  friend class Wait<JoinWait>;
  static constexpr size_t kNone = static_cast<size_t>(-1);

  // A task that has ended is joined by a cancelled one, too.
  WaitEnd Admit();
  WaitEnd Begin();
  bool Leave() {
    Disconnect();
    return true;
  }

  JoinHandleBase* const one_ = nullptr;
  const std::span<JoinHandleBase* const> handles_;
  bool connected_ = false;  // the tasks refer to this
  size_t first_ = kNone;
};

}  // namespace internal

// The part that does not depend on T.
//
// Threads: the executor's only (checked), until the executor has ended; a
// handle that is empty: any.
class JoinHandleBase {
 public:
  JoinHandleBase() = default;
  // A handle must not be moved, nor dropped, while a task awaits it (checked).
  JoinHandleBase(JoinHandleBase&& other) noexcept
      : task_(other.Release()),
        spawn_status_(std::exchange(other.spawn_status_, absl::OkStatus())) {
    if (task_ != nullptr) task_->handle_ = this;
  }
  JoinHandleBase& operator=(JoinHandleBase&& other) noexcept;
  ~JoinHandleBase() {
    if (task_ != nullptr) Detach();
  }

  // False once joined, detached or moved from, if the task could not be
  // spawned, and when its executor has ended.
  bool valid() const { return task() != nullptr; }

  // True when an await would not have to wait.
  bool done() const { return task() == nullptr || task_->finished_; }

  // OK unless the task could not be spawned: ResourceExhausted, naming the
  // limit, or Cancelled in an executor that is being destroyed. And
  // FailedPrecondition when the executor has ended.
  const absl::Status& spawn_status() const { return spawn_status_; }

  // What the task threw, once it is done; otherwise null.
  std::exception_ptr exception() const;

  // Waits for the end of the task as joining does, but leaves the result to be
  // taken: OK, or Cancelled if the waiting task was cancelled.
  internal::JoinWait Wait() { return internal::JoinWait(*this); }

  // Asks the task to end early. If it has not started it never will; otherwise
  // what it waits for completes as cancelled (or with what raced the cancel),
  // and so does every later wait. The task still ends by itself: await the
  // handle to know when.
  void Cancel();

  // Executor::CancelAll() leaves the task alone, before it has started, too:
  // for work in the background whose owner waits for it later. Cancel() and the
  // end of the executor do not.
  void SpareFromCancelAll();

  // Lets the task run on without an owner.
  void Detach();

  TaskId id() const;

  // What the task waits for, as in a dump of it: "recv on fd 7". Empty if it
  // does not wait.
  std::string WaitsFor() const;

 protected:
  JoinHandleBase(TaskContext* task, absl::Status spawn_status);

  // Why there is no result to take; OK if there is one.
  absl::Status WhyNoResult() const;
  std::coroutine_handle<> root() const { return task_->root_; }

 private:
  friend class Executor;
  friend class internal::JoinWait;

  // Checks the thread. Null for an empty handle.
  TaskContext* task() const {
    if (task_ != nullptr) task_->loop().CheckThread("a JoinHandle");
    return task_;
  }

  TaskContext* Release() {
    if (task() == nullptr) return nullptr;
    RINGWAY_CHECK(task_->joiner_ == nullptr,
                  "a JoinHandle was moved or dropped while a task awaits it");
    return std::exchange(task_, nullptr);
  }

  void OnExecutorEnd();

  TaskContext* task_ = nullptr;
  absl::Status spawn_status_;
};

template <typename T>
class [[nodiscard]] JoinHandle : public JoinHandleBase {
 public:
  JoinHandle() = default;

  // Waits for the task to end.
  //
  // Result:       the task's value, and the handle is empty.
  // Errors:       Cancelled if the task never ran, or if the waiting task was
  //               cancelled before this one ended; then the handle stays
  //               valid. ResourceExhausted if it could not be spawned.
  //               FailedPrecondition for an empty handle. Throws what the task
  //               threw.
  // Cancellation: ends the wait, not the task.
  // Cost:         no allocation.
  auto operator co_await() { return Join(*this); }

  // The result of a task that is done(), without a co_await. Otherwise as
  // above; FailedPrecondition, and the handle stays valid, if it is not done.
  JoinResult<T> TakeResult() {
    if (absl::Status why = WhyNoResult(); !why.ok()) {
      if (done()) Detach();
      return why;
    }
    using Promise = typename Task<T>::promise_type;
    auto& promise =
        std::coroutine_handle<Promise>::from_address(root().address())
            .promise();
    JoinHandle finished =
        std::move(*this);  // frees the task, also when TakeResult() throws
    if constexpr (std::is_void_v<T>) {
      promise.TakeResult();
      return absl::OkStatus();
    } else {
      return promise.TakeResult();
    }
  }

 private:
  friend class Executor;
  using JoinHandleBase::JoinHandleBase;

  class [[nodiscard]] Join : public internal::JoinWait {
   public:
    using JoinWait::JoinWait;
    JoinResult<T> await_resume() {
      if (!this->End()) return CancelledStatus();
      return static_cast<JoinHandle&>(this->handle()).TakeResult();
    }
  };
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_JOIN_HANDLE_H_
