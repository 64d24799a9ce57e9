// SPDX-License-Identifier: Apache-2.0
//
// FirstOk: several ways to one result, tried one after another, without waiting
// for each to fail. The first that comes to something wins.
//
//   std::vector<ringway::Task<absl::StatusOr<Page>>> asks;
//   for (std::string& host : hosts) asks.push_back(Fetch(host));
//   absl::StatusOr<Page> page = co_await ringway::FirstOk(
//       std::move(asks), /*stagger=*/absl::Milliseconds(250));
//
// With connects that is "happy eyeballs" (RFC 8305). WhenAny() takes the first
// to end, however it did.

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

// What can fail, and says so by its result.
template <typename R>
concept Fallible = std::same_as<R, JoinResult<R>>;

// The tasks of a FirstOk() that were started and have not ended, and how the
// others failed.
class Attempts {
 public:
  // `running` has room for all.
  explicit Attempts(std::span<JoinHandleBase*> running) : running_(running) {}

  void Start(JoinHandleBase& handle) { running_[n_running_++] = &handle; }

  // Waits until one has ended, and gives it; null once `stagger` is over, or if
  // the waiting task was cancelled.
  Task<JoinHandleBase*> WaitForOne(absl::Duration stagger);

  // Cancels those that run and waits for them.
  Task<void> End();

  void OnFailure(const absl::Status& failure);
  bool none_runs() const { return n_running_ == 0; }
  // True if the waiting task was cancelled.
  bool cancelled() const { return cancelled_; }

  // Once all have failed: the first failure, and how many others there were.
  absl::Status Failure() const;

 private:
  std::span<JoinHandleBase*> running_;
  size_t n_running_ = 0;
  size_t n_failed_ = 0;
  absl::Status first_failure_;
  bool cancelled_ = false;
};

// After the race: the first result that is OK of those that have ended. Throws
// what one of them threw.
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

// The spans are of one size, and empty but for `tasks`.
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

// Starts `tasks` in the order given, each `stagger` after the one before, or as
// soon as one that was started has failed, until one ends with an OK result;
// then cancels the others and waits for them. Those not started by then never
// are. A stagger of zero or less starts all at once; infinite: each when the
// one before has failed.
//
// Result:       The first that was OK. What losers came to all the same is
//               dropped: its destructor runs.
// Errors:       If all fail, the status of the one that failed first, with
//               "(and 2 others failed)" in its message; that of the only one as
//               it is. InvalidArgument for no tasks. Cancelled if this was
//               cancelled and no task ended OK nevertheless. Throws what a task
//               threw: that ends the race as an OK result does.
// Cancellation: Cancels the tasks and waits for them.
// Cost:         A task for each that is started; allocates two vectors.
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

// The same for tasks that are known by name. No allocation but frames.
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
