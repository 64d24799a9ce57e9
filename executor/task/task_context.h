// SPDX-License-Identifier: Apache-2.0
//
// TaskContext: one spawned task as the executor sees it, and Suspension: what a
// task waits for.
//
// A chain of coroutines awaiting each other shares one TaskContext; only its
// innermost coroutine, the leaf, waits for something. So "what a task waits
// for" is well defined, and cancelling a task means asking that one thing to
// end early.
//
// An awaitable, here or of a user's own, looks like this:
//   template <TaskPromise P>
//   bool await_suspend(std::coroutine_handle<P> leaf) {
//     TaskContext& task = leaf.promise().task();
//     cancelled_ = !task.Park(leaf, *this);
//     if (cancelled_) return task.SkipWait(leaf);  // do not wait, say so
//     ... see to it that task.Wake() is called ...
//     return true;
//   }

#ifndef RINGWAY_EXECUTOR_TASK_TASK_CONTEXT_H_
#define RINGWAY_EXECUTOR_TASK_TASK_CONTEXT_H_

#include <array>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "ringway/backends/operation.h"
#include "ringway/core/containers/intrusive_list.h"
#include "ringway/core/containers/slab.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/diagnostics/task_info.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/control_transfer.h"

namespace ringway {

class Executor;
class JoinHandleBase;
class TaskContext;
namespace internal {
class JoinWait;
}  // namespace internal

// Names a task for ever: a key that outlived its task finds nothing.
using TaskId = SlabKey;

// What a parked task waits for. Its function is called at most once, on the
// task's thread, and sees to it that the wait ends: now, or when the operation
// behind it has. Afterwards nothing but that operation refers to the awaitable.
class Suspension {
 public:
  using CancelFunction = void (*)(Suspension&);
  using DescribeFunction = std::string (*)(const Suspension&);
  // `what` is waited for, in words such as "a mutex"; not copied.
  explicit Suspension(CancelFunction cancel, const char* what = "something")
      : cancel_(cancel), describe_(&DescribeText), about_(what) {}
  // It is this operation that is waited for; not looked at before Describe().
  Suspension(CancelFunction cancel, const Operation& operation)
      : cancel_(cancel), describe_(&DescribeOperation), about_(&operation) {}
  // `describe` says what is waited for, as fully as the derived class knows it:
  // "recv on 127.0.0.1:7878". Called for a dump, or for the message of a
  // deadline that is exceeded, and costs nothing before.
  Suspension(CancelFunction cancel, DescribeFunction describe)
      : cancel_(cancel), describe_(describe) {}
  void Cancel() { cancel_(*this); }

  // What is waited for: "a mutex", "recv on fd 7".
  std::string Describe() const { return describe_(*this); }

 private:
  static std::string DescribeText(const Suspension& self);
  static std::string DescribeOperation(const Suspension& self);

  CancelFunction cancel_;
  DescribeFunction describe_;
  const void* about_ = nullptr;  // the text, or the operation
};

// Wants to know when a task is cancelled, also while the task waits for
// something else: a scope whose tasks have to be cancelled with it. It must
// resume nobody.
class CancelListener : public ListNode {
 public:
  using Function = void (*)(CancelListener&);
  explicit CancelListener(Function on_cancelled)
      : on_cancelled_(on_cancelled) {}
  void OnCancelled() { on_cancelled_(*this); }

 private:
  Function on_cancelled_;
};

// Makes the name of the task that it is created in when somebody asks for it:
// for names that would cost something and are seldom read, such as that of a
// connection's task, which has its peer in it. Derive from it, and make it a
// local variable of the coroutine; the newest one counts, and without any the
// name that the task was spawned with.
class TaskNamer {
 public:
  using Function = std::string (*)(const TaskNamer&);
  TaskNamer(const TaskNamer&) = delete;
  TaskNamer& operator=(const TaskNamer&) = delete;

 protected:
  // Aborts outside of a task.
  explicit TaskNamer(Function make_name);
  ~TaskNamer();

  TaskContext& task() const { return task_; }

 private:
  friend class TaskContext;

  const Function make_name_;
  TaskContext& task_;
  TaskNamer* const outer_;
};

// As a Runnable it means "continue this task".
class TaskContext : public Runnable {
 public:
  // Awaits that need not wait before others get their turn: a few microseconds.
  static constexpr uint32_t kAwaitsPerTurn = 256;
  static constexpr size_t kMaxName = 31;

  // Owns `root`, a coroutine that has not started. Only the beginning of a long
  // `name` is kept.
  TaskContext(Executor& executor, std::coroutine_handle<> root,
              std::string_view name);
  ~TaskContext();

  Executor& executor() { return executor_; }
  Loop& loop() { return loop_; }

  // What its TaskNamer makes, or else what it was spawned with.
  [[gnu::noinline]] std::string Name() const;
  // Keeps a copy of the beginning, up to kMaxName bytes.
  void SetName(std::string_view name);

  // What there is to know of it.
  TaskInfo Info() const;

  // True while it waits for something that can be asked to end.
  bool waits() const { return suspension_ != nullptr; }
  // What that is, in words; empty if there is nothing.
  std::string WaitsFor() const {
    return waits() ? suspension_->Describe() : std::string();
  }

  // True once the task has been cancelled and no shield is up: waits fail at
  // once.
  bool cancelled() const { return cancel_requested_ && shields_ == 0; }

  // Notes that the task's leaf now waits for `suspension`. False when the task
  // is cancelled and must not wait.
  bool Park(std::coroutine_handle<> leaf, Suspension& suspension) {
    if (cancelled()) return false;
    leaf_ = leaf;
    suspension_ = &suspension;
    parked_at_ = loop_.now();
    return true;
  }

  // The same for what comes at once and cannot be cancelled.
  void ParkBriefly(std::coroutine_handle<> leaf) { leaf_ = leaf; }

  // The result of an await_suspend that has nothing to wait for. False: the
  // task goes on. True: it has had its share and goes on with `leaf` behind
  // what is ready, so that a task whose awaits all end at once holds up nobody.
  bool SkipWait(std::coroutine_handle<> leaf) {
    if (--awaits_left_ > 0) [[likely]] {
      return false;
    }
    ParkBriefly(leaf);
    Wake();
    return true;
  }

  // Continues the task in its turn, behind what is ready already. Requires that
  // it is parked.
  void Wake() {
    suspension_ = nullptr;
    loop_.Schedule(*this);
  }

  // Continues the task now. Only for functions that the loop runs, never from
  // inside a task.
  void Resume();

  // See JoinHandle::Cancel().
  void RequestCancel();

  // Asks what the task waits for to end early, as a cancel does, and nothing
  // else: the task is not cancelled. Requires waits().
  void EndWait();
  // True from then until the task continues: what it waits for must not start
  // anew.
  bool wait_ended() const { return wait_ended_; }

  // Has `listener` told, once, when the task notices that it is cancelled: now,
  // if it has. The newest listener is told first, and what the task waits for
  // last. One that is still linked must be unlinked before it goes.
  void AddCancelListener(CancelListener& listener);

  // While a shield is up the task does not notice that it was cancelled.
  // Shields nest.
  void RaiseShield() { ++shields_; }
  void LowerShield() {
    --shields_;
    if (cancelled()) [[unlikely]] {
      TellCancelListeners();
    }
  }

  // Somebody else delivers what the task throws: the executor does not report
  // it when there is no handle.
  void ClaimException() { exception_claimed_ = true; }

  // Where the loop at the bottom of the stack finds the coroutine to continue
  // with.
  internal::TransferSlot& transfer_slot() { return transfer_slot_; }

  // Called at the end of the root coroutine, while it is suspended for the last
  // time.
  void MarkFinished() { finished_ = true; }

 private:
  friend class Executor;
  friend class JoinHandleBase;
  friend class internal::JoinWait;
  friend class TaskNamer;

  static void Run(Runnable& entry);
  // Leaves its coroutine alone.
  void ForgetInChild();
  void Continue();
  void ContinueWatched();
  void TellCancelListeners();

  Executor& executor_;
  Loop& loop_;
  internal::TransferSlot transfer_slot_;
  std::coroutine_handle<> root_;      // null when cancelled before it started
  std::coroutine_handle<> leaf_;      // what to continue; starts as the root
  Suspension* suspension_ = nullptr;  // what a cancel must reach
  internal::JoinWait* joiner_ = nullptr;  // wants to know when this one ends
  JoinHandleBase* handle_ = nullptr;      // null: nothing will join it
  TaskNamer* namer_ = nullptr;
  IntrusiveList<CancelListener> cancel_listeners_;  // newest first
  std::exception_ptr (*exception_of_)(std::coroutine_handle<>) = nullptr;
  TaskId parent_;
  MonotonicTime parked_at_;  // when it began to wait for suspension_
  uint32_t shields_ = 0;
  uint32_t awaits_left_ = kAwaitsPerTurn;
  bool started_ = false;
  bool finished_ = false;
  bool cancel_requested_ = false;
  bool wait_ended_ = false;
  bool exception_claimed_ = false;
  bool spared_ = false;                  // by Executor::CancelAll()
  std::array<char, kMaxName + 1> name_;  // ends with a 0; last: rarely touched
};

// The promises that can await Ringway's awaitables: those of Task<T>.
template <typename P>
concept TaskPromise = requires(P& promise) {
  { promise.task() } -> std::same_as<TaskContext&>;
};

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_TASK_CONTEXT_H_
