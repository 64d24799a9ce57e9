// SPDX-License-Identifier: Apache-2.0
//
// BlockingCall: one call of RunBlocking(), shared by its task and the pool, and
// BlockingWait, the task's wait for it.

#ifndef RINGWAY_POOLS_BLOCKING_BLOCKING_CALL_H_
#define RINGWAY_POOLS_BLOCKING_BLOCKING_CALL_H_

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "ringway/executor/remote/parked_task.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task_context.h"
#include "ringway/pools/job_pool.h"

namespace ringway::internal {

class BlockingCall : public Job {
 public:
  // Before it is started: whom its end wakes.
  void SetAwaiter(std::shared_ptr<ParkedTask> awaiter) {
    awaiter_ = std::move(awaiter);
  }

  // True once it has run or was dropped; the result may then be taken.
  bool done() const { return done_.load(std::memory_order_acquire); }
  bool dropped() const { return dropped_; }

  // The caller has left before the call was done: destroys the function, which
  // does not run any more.
  virtual void DropFunction() noexcept = 0;

 protected:
  // Calls the function, stores its result or exception, and destroys it.
  virtual void Call() noexcept = 0;

 private:
  void Run() noexcept override;
  void Drop() noexcept override;
  void Finish() noexcept;

  std::shared_ptr<ParkedTask> awaiter_;
  bool dropped_ = false;
  // What the pool's thread has written is published by storing true.
  std::atomic<bool> done_{false};
};

// With a known result, whose function type is erased.
template <typename T>
class BlockingCallGiving : public BlockingCall {
 public:
  // Once, when done() and not dropped().
  JoinResult<T> TakeResult() {
    if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
    return *std::move(result_);
  }

 protected:
  std::optional<JoinResult<T>> result_;
  std::exception_ptr exception_;
};

template <typename T, typename F, typename... Args>
class BlockingCallOf final : public BlockingCallGiving<T> {
 public:
  template <typename G, typename... As>
  explicit BlockingCallOf(std::in_place_t, G&& fn, As&&... args)
      : function_(std::in_place, std::forward<G>(fn),
                  std::forward<As>(args)...) {}

  void DropFunction() noexcept override { function_.reset(); }

 private:
  void Call() noexcept override {
    try {
      if constexpr (std::is_void_v<T>) {
        Invoke();
        this->result_.emplace();
      } else {
        this->result_.emplace(Invoke());
      }
    } catch (...) {
      this->exception_ = std::current_exception();
    }
    function_.reset();
  }

  decltype(auto) Invoke() {
    return std::apply(
        [](auto& fn, auto&... args) -> decltype(auto) {
          return std::invoke(std::move(fn), std::move(args)...);
        },
        *function_);
  }

  std::optional<std::tuple<F, Args...>> function_;
};

// Starts a call and waits for it.
class BlockingWait : private Suspension {
 public:
  BlockingWait(std::shared_ptr<JobPool> pool,
               std::shared_ptr<BlockingCall> call);
  BlockingWait(const BlockingWait&) = delete;
  BlockingWait& operator=(const BlockingWait&) = delete;
  ~BlockingWait() { Leave(); }

  bool await_ready() const noexcept { return false; }
  template <TaskPromise P>
  bool await_suspend(std::coroutine_handle<P> leaf) {
    return Begin(leaf, leaf.promise().task());
  }

 protected:
  // OK if there is a result to take.
  absl::Status status() const;

 private:
  bool Begin(std::coroutine_handle<> leaf, TaskContext& task);
  // Withdraws the call, or leaves it to the pool.
  void Leave();
  static void OnCancel(Suspension& suspension);

  const std::shared_ptr<JobPool> pool_;
  const std::shared_ptr<BlockingCall> call_;
  std::shared_ptr<ParkedTask> parked_;  // while it waits
  TaskContext* task_ = nullptr;
  bool cancelled_ = false;
  absl::Status start_status_;
};

}  // namespace ringway::internal

#endif  // RINGWAY_POOLS_BLOCKING_BLOCKING_CALL_H_
