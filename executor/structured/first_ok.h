// SPDX-License-Identifier: Apache-2.0
//
// FirstOk: runs several attempts at one result with staggered starts, without
// waiting for each to fail. The first success wins.
//
//   std::vector<ringway::Task<absl::StatusOr<Page>>> asks;
//   for (std::string& host : hosts) asks.push_back(Fetch(host));
//   absl::StatusOr<Page> page = co_await ringway::FirstOk(
//       std::move(asks), /*stagger=*/absl::Milliseconds(250));
//
// With connects this is "happy eyeballs" (RFC 8305). WhenAny() takes the
// first to end, successful or not.

#ifndef RINGWAY_EXECUTOR_STRUCTURED_FIRST_OK_H_
#define RINGWAY_EXECUTOR_STRUCTURED_FIRST_OK_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringway/core/cancelled_status.h"
#include "ringway/executor/structured/timeout.h"
#include "ringway/executor/structured/when.h"
#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"

namespace ringway {

namespace internal {

inline absl::Status StatusIn(const absl::Status& result) { return result; }
template <typename T>
absl::Status StatusIn(const absl::StatusOr<T>& result) {
  return result.status();
}

// A result type that can carry an error.
template <typename R>
concept Fallible = std::same_as<R, JoinResult<R>>;

// The tasks of a FirstOk() that are running, and the failures of the others.
class Attempts {
 public:
  // `running` has room for all tasks.
  explicit Attempts(std::span<JoinHandleBase*> running) : running_(running) {}

  void Start(JoinHandleBase& handle) { running_[n_running_++] = &handle; }

  // Waits until one has ended and returns it; null once `stagger` is over, or
  // if the waiting task was cancelled.
  Task<JoinHandleBase*> WaitForOne(absl::Duration stagger);

  // Cancels the running tasks and waits for them.
  Task<void> End();

  void OnFailure(const absl::Status& failure);
  bool none_runs() const { return n_running_ == 0; }
  // True if the waiting task was cancelled.
  bool cancelled() const { return cancelled_; }

  // Once all have failed: the first failure and the number of the others.
  absl::Status Failure() const;

 private:
  std::span<JoinHandleBase*> running_;
  size_t n_running_ = 0;
  size_t n_failed_ = 0;
  absl::Status first_failure_;
  bool cancelled_ = false;
};

// After the race: the first OK result of the tasks that have ended. Rethrows
// an exception of one of them.
template <typename R>
std::optional<R> TakeFirstOk(std::span<JoinHandle<R>> handles) {
  std::optional<R> first;
  for (JoinHandle<R>& handle : handles) {
    if (!handle.valid()) continue;
    R result = handle.TakeResult();
    if (!first.has_value() && StatusIn(result).ok()) first = std::move(result);
  }
  return first;
}

// The spans have the same size; only `tasks` is filled.
template <typename R>
Task<R> RaceForOk(std::span<Task<R>> tasks, std::span<JoinHandle<R>> handles,
                  std::span<JoinHandleBase*> running, absl::Duration stagger) {
  Attempts attempts(running);
  std::optional<R> winner;
  size_t n_started = 0;
  bool threw = false;
  while (!winner.has_value() && !threw && !attempts.cancelled()) {
    const bool more = n_started < tasks.size();
    if (!more && attempts.none_runs()) co_return attempts.Failure();
    if (more) {
      handles[n_started] = Spawn(std::move(tasks[n_started]));
      attempts.Start(handles[n_started++]);
    }
    const bool waits_to_start = n_started < tasks.size();
    JoinHandleBase* ended = co_await attempts.WaitForOne(
        waits_to_start ? stagger : absl::InfiniteDuration());
    if (ended == nullptr) continue;
    threw = ended->exception() != nullptr;
    if (threw) continue;
    R result = static_cast<JoinHandle<R>*>(ended)->TakeResult();
    if (StatusIn(result).ok()) {
      winner = std::move(result);
    } else {
      attempts.OnFailure(StatusIn(result));
    }
  }
  co_await attempts.End();
  std::optional<R> late = TakeFirstOk(handles);
  if (winner.has_value()) co_return *std::move(winner);
  if (late.has_value()) co_return *std::move(late);
  co_return CancelledStatus();
}

}  // namespace internal

// Starts `tasks` in the order given, each `stagger` after the previous one, or
// as soon as a started one has failed, until one ends with an OK result; then
// cancels the others and waits for them. Tasks not started by then never start.
// With a stagger of zero or less all start at once; with an infinite one each
// starts when the previous one has failed.
//
// Result:       the first OK result. OK results of losers are destroyed.
// Errors:       if all fail, the status of the one that failed first, with
//               "(and 2 others failed)" in its message; the status of a single
//               task is unchanged. InvalidArgument for no tasks. Cancelled if
//               this was cancelled and no task ended OK. Rethrows a task's
//               exception, which ends the race like an OK result.
// Cancellation: cancels the tasks and waits for them.
// Cost:         a task for each one started; allocates two vectors.
template <internal::Fallible R>
Task<R> FirstOk(std::vector<Task<R>> tasks, absl::Duration stagger) {
  std::vector<JoinHandle<R>> handles(tasks.size());
  std::vector<JoinHandleBase*> running(tasks.size());
  std::span<Task<R>> of_tasks(tasks);
  std::span<JoinHandle<R>> of_handles(handles);
  std::span<JoinHandleBase*> of_running(running);
  co_return co_await internal::RaceForOk(of_tasks, of_handles, of_running,
                                         stagger);
}

// The same for a fixed number of tasks. No allocation except frames.
template <internal::Fallible R, std::same_as<R>... Rs>
Task<R> FirstOk(absl::Duration stagger, Task<R> task, Task<Rs>... tasks) {
  std::array<Task<R>, 1 + sizeof...(Rs)> all = {std::move(task),
                                                std::move(tasks)...};
  std::array<JoinHandle<R>, 1 + sizeof...(Rs)> handles;
  std::array<JoinHandleBase*, 1 + sizeof...(Rs)> running;
  std::span<Task<R>> of_tasks(all);
  std::span<JoinHandle<R>> of_handles(handles);
  std::span<JoinHandleBase*> of_running(running);
  co_return co_await internal::RaceForOk(of_tasks, of_handles, of_running,
                                         stagger);
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_STRUCTURED_FIRST_OK_H_
