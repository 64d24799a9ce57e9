// SPDX-License-Identifier: Apache-2.0
//
// Executor: runs tasks on one thread over a Loop.
//
//   auto executor = ringway::Executor::Create();
//   absl::Status ended = (*executor)->Run(Main());
//
// Tasks start in the order they were spawned and never change thread.
// Destroying an executor cancels what still runs, waits for every operation to
// end, and frees every frame. What is spawned meanwhile is cancelled before it
// starts, unless a shielded task needs it to clean up. JoinHandles may outlive
// it: they are empty then, and results that nothing has taken go.

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

  // How long the destructor lets cancelled tasks run to their ends; then their
  // frames are destroyed where they are suspended. Not negative.
  absl::Duration shutdown_grace = absl::Seconds(5);

  // How long a turn may last before YieldIfNeeded() gives way. Not negative.
  absl::Duration time_slice = absl::Milliseconds(1);

  // Tasks that run for longer without a break are counted and reported: they
  // hold up all others (overrun_watch.h). Positive; infinite watches nothing.
  absl::Duration overrun_budget = absl::Milliseconds(50);
  // Receives the reports, after the task has run; by default they go to stderr,
  // one a second at most. Must not throw.
  std::function<void(const TaskOverrun&)> on_overrun;

  // Receives the exception of a task that nobody joins, which is gone by then,
  // and what Post()ed functions and the loop's own functions throw; none of
  // these ends a Run(). By default it is reported on stderr. Must not throw.
  std::function<void(std::exception_ptr)> on_detached_exception;
};

// InvalidArgument, naming the option and its limits, if one is out of range,
// but for those of the loop, which Loop::Create() checks.
absl::Status CheckExecutorOptions(const ExecutorOptions& options);

struct ExecutorStats {
  uint64_t tasks_spawned = 0;
  uint64_t tasks_refused = 0;  // for max_tasks
  // Given to on_detached_exception, but for those of Post()ed functions
  // (LoopStats::post_exceptions).
  uint64_t detached_exceptions = 0;
  size_t tasks_alive = 0;
  uint64_t yields_needed = 0;   // times that YieldIfNeeded() gave way
  uint64_t overruns = 0;        // turns beyond overrun_budget
  absl::Duration longest_turn;  // of the tasks' part of a turn
  FrameAllocator::Stats frames;
  LoopStats loop;
};

// Threads: the one that made it only, for every function unless it says
// otherwise (checked).
class Executor {
 public:
  // Makes an executor, with its loop and backend, for the calling thread.
  //
  // Errors: InvalidArgument naming the option, or those of MakeBackend().
  static absl::StatusOr<std::unique_ptr<Executor>> Create(
      ExecutorOptions options = ExecutorOptions());

  // Takes a ready-made loop, of the calling thread. `options` must be valid
  // (checked), and what they say of a loop is ignored.
  Executor(std::unique_ptr<Loop> loop, ExecutorOptions options);
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  // Not from inside its own Run() or Turn(), so by no task of its own
  // (checked). In a forked child nothing happens: everything is the parent's.
  ~Executor();

  // The executor whose Run() or destructor this thread is in, or null.
  //
  // Threads: any.
  static Executor* Current();

  // Spawns `task` and turns the loop until it has ended. Other tasks run
  // meanwhile and stay where they are afterwards; a later Run() continues them.
  //
  // Result: that of joining the task. Throws what the task threw.
  // Errors: also FailedPrecondition when called from inside a Run() of this
  // thread.
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

  // Makes one turn of the loop, for whoever drives several executors on one
  // thread. Not from inside a Run() or Turn() of this thread (checked).
  void Turn(MonotonicTime wait_until);

  // Starts `task` in its turn, behind what is ready already. If max_tasks are
  // alive the task is dropped and the handle says so when joined (and in
  // spawn_status()). `name` is for people; a copy of its first 31 bytes is
  // kept (see TaskNamer for one that has to be made).
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

  // Cancels the task of that name; false if it is gone. See
  // JoinHandle::Cancel().
  bool Cancel(TaskId id);

  // Cancels every task but the calling one. Returns how many that was.
  size_t CancelAll();

  // The task that is running right now, or null.
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

  // Every task that is alive or whose result nobody has taken, in no particular
  // order. From another thread: Post() a function that does it.
  std::vector<TaskInfo> Tasks();
  // The same as text (FormatTasks).
  std::string DumpTasks() { return FormatTasks(Tasks()); }

  // True once the tasks' part of this turn has lasted for time_slice, and then
  // ends it: what is ready waits for the next turn. Cost: a clock reading.
  bool TakeBreakIfNeeded();

  // Threads: any while the executor lives; the loop is for this thread only.
  Loop& loop() { return *loop_; }
  ExecutorStats stats();

 private:
  friend class TaskContext;
  friend class JoinHandleBase;

  enum class Phase : uint8_t {
    kRunning,
    kCancelling,  // every task has been asked to end
    kDestroying,  // nothing runs any more
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

  // Takes `root` over: makes a task of it and schedules its start, or destroys
  // it and returns null.
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

  const OwnerThread owner_;
  const ExecutorOptions options_;
  FrameAllocator frames_;
  std::unique_ptr<Loop> loop_;
  Slab<TaskContext> tasks_;
  TaskContext* current_task_ = nullptr;
  TaskContext* run_until_ = nullptr;  // what Run() waits for
  Phase phase_ = Phase::kRunning;
  size_t unfinished_ = 0;
  OverrunWatch overruns_;
  uint64_t yields_needed_ = 0;
  uint64_t tasks_spawned_ = 0;
  uint64_t tasks_refused_ = 0;
  uint64_t detached_exceptions_ = 0;
};

// The executor that this thread runs, and its loop: in a task, that of the
// task. Code in tasks needs no Loop& handed down. Abort when there is none.
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

// Spawns on the executor that this thread runs. Aborts when there is none.
template <typename T>
JoinHandle<T> Spawn(Task<T> task, std::string_view name = "") {
  Executor* executor = Executor::Current();
  RINGWAY_CHECK(executor != nullptr, "Spawn() outside of a running executor");
  return executor->Spawn(std::move(task), name);
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_TASK_EXECUTOR_H_
