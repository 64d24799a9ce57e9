// SPDX-License-Identifier: Apache-2.0
//
// Executor: runs tasks on one thread over a Loop.
//
//   auto executor = ringway::Executor::Create();
//   absl::Status ended = (*executor)->Run(Main());
//
// Tasks start in the order they were spawned and never change threads.
// Destroying an executor cancels its tasks, waits for every operation to end,
// and frees every frame. Tasks spawned meanwhile are cancelled before they
// start, unless a shielded task spawns them to clean up. JoinHandles may
// outlive the executor: they are then empty, and untaken results are
// destroyed.

#ifndef RINGWAY_EXECUTOR_TASK_EXECUTOR_H_
#define RINGWAY_EXECUTOR_TASK_EXECUTOR_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/containers/slab.h"
#include "ringway/core/memory/frame_allocator.h"
#include "ringway/core/owner_thread.h"
#include "ringway/core/runnable.h"
#include "ringway/core/time/monotonic_time.h"
#include "ringway/executor/diagnostics/overrun_watch.h"
#include "ringway/executor/diagnostics/task_info.h"
#include "ringway/executor/loop/loop.h"
#include "ringway/executor/task/executor_locals.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"
#include "ringway/executor/task/task_context.h"

namespace ringway {

struct ExecutorOptions {
  ExecutorOptions() {}

  LoopOptions loop;

  // Tasks alive at one time, 1 to kMostTasks; one more is refused with
  // ResourceExhausted.
  size_t max_tasks = 1u << 20;

  // How long the destructor lets cancelled tasks run; then it destroys their
  // frames where they are suspended. Not negative.
  absl::Duration shutdown_grace = absl::Seconds(5);

  // How long a turn may last before YieldIfNeeded() yields. Not negative.
  absl::Duration time_slice = absl::Milliseconds(1);

  // Tasks that run longer than this without suspending are counted and
  // reported, because they delay all others (overrun_watch.h). Positive; an
  // infinite budget disables the check.
  absl::Duration overrun_budget = absl::Milliseconds(50);
  // Receives the reports after the task has run; by default they go to
  // stderr, at most one a second. Must not throw.
  std::function<void(const TaskOverrun&)> on_overrun;

  // Receives the exception of a detached task, whose frame has been destroyed
  // by then, and the exceptions of Post()ed functions and of the loop's own
  // functions; none of these ends a Run(). By default they are reported on
  // stderr. Must not throw.
  std::function<void(std::exception_ptr)> on_detached_exception;
};

// InvalidArgument with the option and its limits if one is out of range. Does
// not check the loop's options; Loop::Create() does.
absl::Status CheckExecutorOptions(const ExecutorOptions& options);

struct ExecutorStats {
  uint64_t tasks_spawned = 0;
  uint64_t tasks_refused = 0;  // for max_tasks
  // Passed to on_detached_exception, except those of Post()ed functions
  // (LoopStats::post_exceptions).
  uint64_t detached_exceptions = 0;
  size_t tasks_alive = 0;
  uint64_t yields_needed = 0;   // times that YieldIfNeeded() yielded
  uint64_t overruns = 0;        // turns beyond overrun_budget
  absl::Duration longest_turn;  // of the tasks' part of a turn
  FrameAllocator::Stats frames;
  LoopStats loop;
};

// Threads: unless stated otherwise, the thread that made it only (checked).
class Executor {
 public:
  // Makes an executor, with its loop and backend, for the calling thread.
  //
  // Errors: InvalidArgument naming the option, or those of MakeBackend().
  static absl::StatusOr<std::unique_ptr<Executor>> Create(
      ExecutorOptions options = ExecutorOptions());

  // Takes an existing loop of the calling thread. `options` must be valid
  // (checked); their loop options are ignored.
  Executor(std::unique_ptr<Loop> loop, ExecutorOptions options);
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  // Must not be called from inside its own Run() or Turn(), and so not by one
  // of its tasks (checked). In a forked child it does nothing.
  ~Executor();

  // The executor whose Run() or destructor this thread is in, or null.
  //
  // Threads: any.
  static Executor* Current();

  // Spawns `task` and turns the loop until it has ended. Other tasks run
  // meanwhile and stay suspended afterwards; a later Run() continues them.
  //
  // Result: the result of joining the task. Rethrows its exception.
  // Errors: also FailedPrecondition when called from inside a Run() of this
  //         thread.
  template <typename T>
  JoinResult<T> Run(Task<T> task) {
    owner_.Check("an executor");
    if (Current() != nullptr) {
      return absl::FailedPreconditionError(
          "Executor::Run() inside another Run() of this thread");
    }
    CurrentScope scope(*this);
    JoinHandle<T> handle = Spawn(std::move(task));
    TurnUntilDone(handle);
    return handle.TakeResult();
  }

  // Runs one turn of the loop, for callers that drive several executors on
  // one thread. Not from inside a Run() or Turn() of this thread (checked).
  void Turn(MonotonicTime wait_until);

  // Schedules `task` to start after all entries that are ready already. If
  // max_tasks are alive, the task is dropped and joining the handle returns
  // the error, as does spawn_status(). `name` is for diagnostics; a copy of
  // its first 31 bytes is kept (see TaskNamer for one that has to be made).
  //
  // `task` must not have been awaited or moved from (checked).
  //
  // Cost: no allocation once as many tasks have been alive before.
  template <typename T>
  JoinHandle<T> Spawn(Task<T> task, std::string_view name = "") {
    RINGWAY_CHECK(task.valid() && !task.awaited(),
                  "a task was spawned that had been moved from, or awaited "
                  "before");
    typename Task<T>::Handle root = task.Release();
    TaskContext* context = Admit(root, name, [](std::coroutine_handle<> r) {
      using Promise = typename Task<T>::promise_type;
      return std::coroutine_handle<Promise>::from_address(r.address())
          .promise()
          .exception();
    });
    if (context == nullptr) return JoinHandle<T>(nullptr, WhyRefused());
    root.promise().BindTo(*context);
    return JoinHandle<T>(context, absl::OkStatus());
  }

  // Cancels the task with this id; false if it no longer exists. See
  // JoinHandle::Cancel().
  bool Cancel(TaskId id);

  // Cancels all tasks but the caller and spared ones. Returns their number.
  size_t CancelAll();

  // The running task, or null.
  TaskContext* current_task() {
    owner_.Check("an executor");
    return current_task_;
  }

  // The task that this thread runs. Aborts if there is none: "`what` outside of
  // a task".
  static TaskContext& RunningTask(const char* what) {
    Executor* executor = Current();
    RINGWAY_CHECK(executor != nullptr && executor->current_task() != nullptr,
                  "%s outside of a task", what);
    return *executor->current_task();
  }

  // All tasks that are alive or whose results have not been taken, in
  // unspecified order. From another thread, Post() a function that calls it.
  std::vector<TaskInfo> Tasks();
  // The same as text (FormatTasks).
  std::string DumpTasks() { return FormatTasks(Tasks()); }

  // The name that the running task was spawned with; empty if none runs. Also
  // for signal handlers on this thread.
  const char* RunningTaskName() noexcept;

  // Record (diagnostics/) in what is passed, which must outlive the executor or
  // be replaced first; null records nothing.
  void SetTrace(TraceRecorder* recorder);
  void SetTurnTimes(TurnTimes* times);

  // True once the tasks' part of this turn has lasted for time_slice; it then
  // also ends that part, and the remaining ready entries run in the next
  // turn. Cost: a clock reading.
  bool TakeBreakIfNeeded();

  // Objects of this executor.
  ExecutorLocals& locals() {
    owner_.Check("an executor");
    return locals_;
  }

  // Threads: any while the executor lives; the loop is for this thread only.
  Loop& loop() { return *loop_; }
  ExecutorStats stats();

 private:
  friend class TaskContext;
  friend class JoinHandleBase;

  enum class Phase : uint8_t {
    kRunning,
    kCancelling,  // every task has been cancelled
    kDestroying,  // no task runs
  };

  // Makes this the thread's current executor, and its allocator the current
  // one.
  class CurrentScope {
   public:
    explicit CurrentScope(Executor& executor);
    ~CurrentScope();

   private:
    FrameAllocator::Scope frames_;
    Executor* const previous_;
  };

  // Takes ownership of `root`: makes a task of it and schedules its start, or
  // destroys it and returns null.
  TaskContext* Admit(
      std::coroutine_handle<> root, std::string_view name,
      std::exception_ptr (*exception_of)(std::coroutine_handle<>));
  absl::Status WhyRefused() const;
  void DestroyFrames();
  void EmptyHandles();
  void ForgetInChild();
  void TurnUntilDone(const JoinHandleBase& handle);
  void TurnOnce(MonotonicTime wait_until);
  void OnFinished(TaskContext& task);
  void OnException(const char* what, std::exception_ptr exception);
  void Free(TaskContext& task);
  TaskId IdOf(const TaskContext& task) const { return tasks_.KeyOf(task); }
  bool watches_resumes() const {  // with one branch
    return overruns_.measures_tasks() | (trace_ != nullptr);
  }

  const OwnerThread owner_;
  const ExecutorOptions options_;
  FrameAllocator frames_;
  std::unique_ptr<Loop> loop_;
  ExecutorLocals locals_;
  Slab<TaskContext> tasks_;
  TaskContext* current_task_ = nullptr;
  TaskContext* run_until_ = nullptr;  // what Run() waits for
  Phase phase_ = Phase::kRunning;
  size_t unfinished_ = 0;
  OverrunWatch overruns_;
  TraceRecorder* trace_ = nullptr;
  uint64_t yields_needed_ = 0;
  uint64_t tasks_spawned_ = 0;
  uint64_t tasks_refused_ = 0;
  uint64_t detached_exceptions_ = 0;
};

// The executor that this thread runs, and its loop; in a task, the task's
// own. Abort if there is none.
//
// Threads: any.
inline Executor& CurrentExecutor() {
  Executor* executor = Executor::Current();
  RINGWAY_CHECK(executor != nullptr,
                "CurrentExecutor() or CurrentLoop() outside of a running "
                "executor");
  return *executor;
}
inline Loop& CurrentLoop() { return CurrentExecutor().loop(); }

// Spawns on the executor that this thread runs. Aborts if there is none.
template <typename T>
JoinHandle<T> Spawn(Task<T> task, std::string_view name = "") {
  Executor* executor = Executor::Current();
  RINGWAY_CHECK(executor != nullptr, "Spawn() outside of a running executor");
  return executor->Spawn(std::move(task), name);
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_EXECUTOR_H_
