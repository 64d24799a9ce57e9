// SPDX-License-Identifier: Apache-2.0
//
// AskEachWorker: calls a function on every worker and collects the results of
// those that answer in time. A worker that is stuck holds up the page of
// metrics no longer than that.
//
//   std::vector<std::optional<size_t>> alive = co_await AskEachWorker(
//       workers, [] { return CurrentExecutor().stats().tasks_alive; },
//       absl::Seconds(1));
//
// AskEachWorkerAndBlock() is the same for threads without tasks.

#ifndef RINGWAY_RUNTIME_METRICS_ASK_EACH_WORKER_H_
#define RINGWAY_RUNTIME_METRICS_ASK_EACH_WORKER_H_

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringway/executor/remote/executor_handle.h"
#include "ringway/executor/remote/wake_handle.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/task/task.h"

namespace ringway {

namespace internal {

template <typename T>
using Answers = std::vector<std::optional<T>>;

template <typename T>
class WorkerAnswers {
 public:
  // `wake` is woken when no answer is missing any more.
  explicit WorkerAnswers(size_t n_workers, WakeHandle wake = WakeHandle())
      : answers_(n_workers), n_missing_(n_workers), wake_(std::move(wake)) {}

  // Threads: any.
  void Set(size_t worker, T answer) {
    std::lock_guard<std::mutex> lock(mutex_);
    answers_[worker] = std::move(answer);
  }
  // The worker has answered, or never will.
  void Done() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (--n_missing_ > 0) return;
    wake_.Wake();
    complete_.notify_all();
  }
  // Those that there are.
  Answers<T> Take() {
    std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(answers_, Answers<T>(answers_.size()));
  }
  // Blocks until none is missing, but not for longer than `patience`.
  void WaitFor(absl::Duration patience) {
    constexpr absl::Duration kForever = absl::Hours(24 * 365 * 100);
    std::unique_lock<std::mutex> lock(mutex_);
    complete_.wait_for(lock,
                       absl::ToChronoNanoseconds(std::min(patience, kForever)),
                       [this] { return n_missing_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable complete_;
  Answers<T> answers_;
  size_t n_missing_;
  const WakeHandle wake_;
};

// What one worker is asked. Its end counts the worker as done, also if the
// worker never receives it or the function throws.
template <typename F, typename T>
class WorkerQuestion {
 public:
  WorkerQuestion(F fn, size_t worker, std::shared_ptr<WorkerAnswers<T>> answers)
      : fn_(std::move(fn)), worker_(worker), answers_(std::move(answers)) {}
  WorkerQuestion(WorkerQuestion&&) noexcept = default;
  WorkerQuestion& operator=(WorkerQuestion&&) = delete;
  ~WorkerQuestion() {
    if (answers_ != nullptr) answers_->Done();
  }

  void operator()() { answers_->Set(worker_, fn_()); }

 private:
  F fn_;
  const size_t worker_;
  std::shared_ptr<WorkerAnswers<T>> answers_;
};

template <typename F, typename T>
void PostQuestions(const std::vector<ExecutorHandle>& workers, const F& fn,
                   const std::shared_ptr<WorkerAnswers<T>>& answers) {
  for (size_t i = 0; i < workers.size(); ++i) {
    WorkerQuestion<F, T> question(fn, i, answers);
    workers[i].Post(std::move(question)).IgnoreError();
  }
}

}  // namespace internal

// Calls a copy of `fn` on the thread of each worker, all at the same time.
//
// Result:       the results, by worker; none for a worker that has ended, has
//               not answered within `patience`, or whose call threw (which is
//               reported there like the exception of any posted function).
// Threads:      any task's. `fn` runs on the workers; calls that come too late
//               run there, and their results are dropped.
// Cancellation: ends the wait, as if the time were over.
template <typename F>
auto AskEachWorker(std::vector<ExecutorHandle> workers, F fn,
                   absl::Duration patience)
    -> Task<std::vector<std::optional<std::invoke_result_t<F&>>>> {
  using T = std::invoke_result_t<F&>;
  Waker waker;
  auto answers = std::make_shared<internal::WorkerAnswers<T>>(workers.size(),
                                                              waker.handle());
  internal::PostQuestions(workers, fn, answers);
  if (!workers.empty()) {
    const absl::Status woken = co_await WithTimeout(patience, waker.Wait());
    woken.IgnoreError();  // what has not arrived by now is missing
  }
  co_return answers->Take();
}

// The same for a thread that has no tasks, which waits.
//
// Threads: any but those of `workers`, which would wait for themselves.
template <typename F>
auto AskEachWorkerAndBlock(const std::vector<ExecutorHandle>& workers, F fn,
                           absl::Duration patience)
    -> std::vector<std::optional<std::invoke_result_t<F&>>> {
  using T = std::invoke_result_t<F&>;
  auto answers = std::make_shared<internal::WorkerAnswers<T>>(workers.size());
  internal::PostQuestions(workers, fn, answers);
  answers->WaitFor(patience);
  return answers->Take();
}

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_METRICS_ASK_EACH_WORKER_H_
