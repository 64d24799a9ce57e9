// SPDX-License-Identifier: Apache-2.0

#include "ringway/executor/task/executor.h"

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ringway/core/check.h"
#include "ringway/core/check_option.h"
#include "ringway/core/usdt.h"
#include "ringway/executor/diagnostics/trace_recorder.h"
#include "ringway/executor/loop/report_exception.h"

namespace ringway {
namespace {

thread_local Executor* current_executor = nullptr;

}  // namespace

absl::Status CheckExecutorOptions(const ExecutorOptions& options) {
  constexpr absl::Duration kNone = absl::ZeroDuration();
  for (const absl::Status& status : {
           CheckOption("ExecutorOptions::max_tasks", options.max_tasks, 1,
                       kMostTasks),
           CheckOption("ExecutorOptions::shutdown_grace",
                       options.shutdown_grace, kNone, absl::InfiniteDuration()),
           CheckOption("ExecutorOptions::time_slice", options.time_slice, kNone,
                       absl::InfiniteDuration()),
           CheckOption("ExecutorOptions::overrun_budget",
                       options.overrun_budget, absl::Nanoseconds(1),
                       absl::InfiniteDuration()),
       }) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Executor>> Executor::Create(
    ExecutorOptions options) {
  if (absl::Status s = CheckExecutorOptions(options); !s.ok()) return s;
  absl::StatusOr<std::unique_ptr<Loop>> loop = Loop::Create(options.loop);
  if (!loop.ok()) return loop.status();
  return std::make_unique<Executor>(*std::move(loop), std::move(options));
}

Executor::Executor(std::unique_ptr<Loop> loop, ExecutorOptions options)
    : options_(Valid(std::move(options), &CheckExecutorOptions)),
      loop_(std::move(loop)),
      tasks_(options_.max_tasks),
      overruns_(options_.overrun_budget, options_.on_overrun) {
  loop_->inbox()->SetExceptionHandler(options_.on_detached_exception);
}

Executor::~Executor() {
  if (owner_.forked()) {
    ForgetInChild();
    return;
  }
  owner_.Check("an executor");
  RINGWAY_CHECK(
      Current() != this,
      "an executor was destroyed from inside its own Run() or Turn(): "
      "by one of its tasks, or by a function posted to it");
  CurrentScope scope(*this);
  // First let cancelled tasks run to their ends, including destructors.
  phase_ = Phase::kCancelling;
  tasks_.ForEach([](TaskContext& task) { task.RequestCancel(); });
  const MonotonicTime deadline =
      loop_->backend().clock().Now() + options_.shutdown_grace;
  while (unfinished_ > 0 && loop_->now() < deadline) TurnOnce(deadline);
  DestroyFrames();
  EmptyHandles();
}

// For handles that outlive the executor: destroys results that were not
// taken.
void Executor::EmptyHandles() {
  tasks_.ForEach([this](TaskContext& task) {
    if (task.handle_ == nullptr) return;
    task.handle_->OnExecutorEnd();
    if (task.finished_) Free(task);
  });
  loop_->Quiesce();  // ends operations that destructors of results have started
}

// Frames and their waits belong to the parent, so they are leaked.
void Executor::ForgetInChild() {
  locals_.ForgetInChild();
  tasks_.ForEach([](TaskContext& task) {
    if (task.handle_ != nullptr) task.handle_->OnExecutorEnd();
    task.ForgetInChild();
  });
}

void Executor::DestroyFrames() {
  phase_ = Phase::kDestroying;
  // Frames refer to each other - to an event, to a handle - and are destroyed
  // in unspecified order. So first all waits end, ...
  tasks_.ForEach([](TaskContext& task) {
    if (Suspension* suspension = std::exchange(task.suspension_, nullptr))
      suspension->Cancel();
  });
  tasks_.ForEach([](TaskContext& task) {
    if (task.joiner_ != nullptr) task.joiner_->Disconnect();
  });
  // ... and the kernel releases the memory in the frames.
  loop_->Quiesce();
  tasks_.ForEach([](TaskContext& task) {
    if (!task.finished_ && task.root_)
      std::exchange(task.root_, nullptr).destroy();
  });
  loop_->Quiesce();  // ends operations that destructors have started
}

Executor* Executor::Current() { return current_executor; }

Executor::CurrentScope::CurrentScope(Executor& executor)
    : frames_(executor.frames_),
      previous_(std::exchange(current_executor, &executor)) {}

Executor::CurrentScope::~CurrentScope() { current_executor = previous_; }

TaskContext* Executor::Admit(
    std::coroutine_handle<> root, std::string_view name,
    std::exception_ptr (*exception_of)(std::coroutine_handle<>)) {
  owner_.Check("an executor");
  TaskContext* task = nullptr;
  try {
    if (phase_ != Phase::kDestroying) task = tasks_.Emplace(*this, root, name);
  } catch (...) {  // out of memory
    root.destroy();
    throw;
  }
  if (task == nullptr) {
    ++tasks_refused_;
    root.destroy();
    return nullptr;
  }
  ++tasks_spawned_;
  ++unfinished_;
  task->exception_of_ = exception_of;
  if (current_task_ != nullptr) task->parent_ = IdOf(*current_task_);
  if (phase_ == Phase::kCancelling) [[unlikely]] {
    task->cancel_requested_ =
        current_task_ == nullptr || current_task_->shields_ == 0;
  }
  loop_->Schedule(*task);
  RINGWAY_PROBE2(task__spawn, task, task->name_.data());
  if (trace_ != nullptr) [[unlikely]] {
    trace_->TaskSpawned(IdOf(*task), task->name_.data());
  }
  return task;
}

absl::Status Executor::WhyRefused() const {
  if (phase_ == Phase::kDestroying)
    return absl::CancelledError("the executor is being destroyed");
  return absl::ResourceExhaustedError(
      absl::StrCat("ExecutorOptions::max_tasks: ", options_.max_tasks,
                   " tasks are alive already"));
}

void Executor::TurnUntilDone(const JoinHandleBase& handle) {
  run_until_ = handle.task_;
  while (!handle.done()) TurnOnce(MonotonicTime::Infinite());
  run_until_ = nullptr;
}

void Executor::Turn(MonotonicTime wait_until) {
  owner_.Check("an executor");
  RINGWAY_CHECK(Current() == nullptr,
                "Executor::Turn() inside another turn of this thread");
  CurrentScope scope(*this);
  TurnOnce(wait_until);
}

// An exception here is not one of a task: it ends this turn but not a Run().
void Executor::TurnOnce(MonotonicTime wait_until) {
  try {
    if (loop_->Work() > 0)
      overruns_.OnTurn(loop_->now(), loop_->backend().clock().Now());
    loop_->Wait(wait_until);
  } catch (...) {
    OnException("a function of the loop", std::current_exception());
  }
}

const char* Executor::RunningTaskName() noexcept {
  const TaskContext* task =
      std::atomic_ref(current_task_).load(std::memory_order_relaxed);
  return task == nullptr ? "" : task->name_.data();
}

void Executor::SetTrace(TraceRecorder* recorder) {
  owner_.Check("an executor");
  loop_->SetTrace(recorder);
  trace_ = recorder;
}

bool Executor::TakeBreakIfNeeded() {
  owner_.Check("an executor");
  const absl::Duration lasted = loop_->backend().clock().Now() - loop_->now();
  if (lasted < options_.time_slice) return false;
  ++yields_needed_;
  loop_->EndWork();
  return true;
}

std::vector<TaskInfo> Executor::Tasks() {
  owner_.Check("an executor");
  std::vector<TaskInfo> infos;
  infos.reserve(tasks_.size());
  tasks_.ForEach([&](TaskContext& task) { infos.push_back(task.Info()); });
  return infos;
}

void Executor::OnFinished(TaskContext& task) {
  RINGWAY_PROBE1(task__end, &task);
  if (trace_ != nullptr) [[unlikely]] {
    trace_->TaskEnded(IdOf(task), task.name_.data());
  }
  --unfinished_;
  if (unfinished_ == 0 || &task == run_until_) loop_->EndWait();
  if (task.joiner_ != nullptr) task.joiner_->OnTaskEnded(task);
  if (task.handle_ != nullptr) return;
  std::exception_ptr exception = task.root_ && !task.exception_claimed_
                                     ? task.exception_of_(task.root_)
                                     : nullptr;
  Free(task);
  if (exception) [[unlikely]] {
    OnException("a detached task", std::move(exception));
  }
}

void Executor::OnException(const char* what, std::exception_ptr exception) {
  ++detached_exceptions_;
  if (options_.on_detached_exception) {
    options_.on_detached_exception(std::move(exception));
  } else {
    ReportException(what, exception);
  }
}

void Executor::Free(TaskContext& task) { tasks_.Erase(task); }

void Executor::SetTurnTimes(TurnTimes* times) {
  owner_.Check("an executor");
  overruns_.set_times(times);
}

bool Executor::Cancel(TaskId id) {
  owner_.Check("an executor");
  TaskContext* task = tasks_.Get(id);
  if (task == nullptr || task->finished_) return false;
  task->RequestCancel();
  return true;
}

size_t Executor::CancelAll() {
  owner_.Check("an executor");
  size_t n = 0;
  tasks_.ForEach([&](TaskContext& task) {
    if (&task == current_task_ || task.finished_ || task.spared_) return;
    task.RequestCancel();
    ++n;
  });
  return n;
}

ExecutorStats Executor::stats() {
  owner_.Check("an executor");
  ExecutorStats stats;
  stats.tasks_spawned = tasks_spawned_;
  stats.tasks_refused = tasks_refused_;
  stats.detached_exceptions = detached_exceptions_;
  stats.tasks_alive = tasks_.size();
  stats.yields_needed = yields_needed_;
  stats.overruns = overruns_.turns();
  stats.longest_turn = overruns_.longest_turn();
  stats.frames = frames_.stats();
  stats.loop = loop_->stats();
  return stats;
}

}  // namespace ringway
