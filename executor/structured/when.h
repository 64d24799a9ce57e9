// SPDX-License-Identifier: Apache-2.0
//
// WhenAll and WhenAny: run several tasks concurrently and wait for their
// ends.
//
// Each argument runs as a separate task and has ended when the WhenAll or
// WhenAny ends, in every case: if the waiting task is cancelled, the tasks
// are cancelled and joined. The losers of a race are cancelled and joined
// too, so a result that a loser had produced is kept.
//
//   auto [page, icon] = co_await ringway::WhenAll(Get("/"), Get("/icon"));
//
//   auto race = co_await ringway::WhenAny(Ask(first), Ask(second));
//   if (race.index == 0) Use(std::get<0>(race.results));

#ifndef RINGWAY_EXECUTOR_STRUCTURED_WHEN_H_
#define RINGWAY_EXECUTOR_STRUCTURED_WHEN_H_

#include <array>
#include <cstddef>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "ringway/executor/task/executor.h"
#include "ringway/executor/task/join_handle.h"
#include "ringway/executor/task/task.h"

namespace ringway {

// The result of WhenAny(): `Results` is a tuple or a vector of JoinResults.
template <typename Results>
struct WhenAnyResult {
  WhenAnyResult(size_t i, Results r) : index(i), results(std::move(r)) {}

  size_t index;     // of the task that was the first to end
  Results results;  // of all, including the cancelled losers
};

namespace internal {

// Waits until all of `children` have ended; if the waiting task is cancelled,
// cancels them and still waits.
Task<void> WaitForAll(std::span<JoinHandleBase* const> children);

// Waits until one of `children` has ended, cancels the others and waits for
// them. Returns the index of the first. If the waiting task is cancelled,
// cancels all and still waits.
Task<size_t> WaitForFirst(std::span<JoinHandleBase* const> children);

// Rethrows the exception of `child`, which has ended, if there is one.
void RethrowFailure(const JoinHandleBase& child);

template <typename T>
std::vector<JoinHandle<T>> SpawnAll(std::vector<Task<T>> tasks) {
  std::vector<JoinHandle<T>> handles;
  handles.reserve(tasks.size());
  for (Task<T>& task : tasks) handles.push_back(Spawn(std::move(task)));
  return handles;
}

template <typename T>
std::vector<JoinHandleBase*> PointersTo(std::vector<JoinHandle<T>>& handles) {
  std::vector<JoinHandleBase*> pointers;
  pointers.reserve(handles.size());
  for (JoinHandle<T>& handle : handles) pointers.push_back(&handle);
  return pointers;
}

template <typename... Ts>
std::array<JoinHandleBase*, sizeof...(Ts)> PointersTo(
    std::tuple<JoinHandle<Ts>...>& handles) {
  return std::apply(
      [](auto&... each) {
        return std::array<JoinHandleBase*, sizeof...(Ts)>{&each...};
      },
      handles);
}

template <typename T>
std::vector<JoinResult<T>> TakeResults(std::vector<JoinHandle<T>>& handles) {
  std::vector<JoinResult<T>> results;
  results.reserve(handles.size());
  for (JoinHandle<T>& handle : handles) results.push_back(handle.TakeResult());
  return results;
}

template <typename... Ts>
std::tuple<JoinResult<Ts>...> TakeResults(
    std::tuple<JoinHandle<Ts>...>& handles) {
  // Braces evaluate in order, so the first exception is that of the first
  // task.
  return std::apply(
      [](auto&... each) {
        return std::tuple<JoinResult<Ts>...>{each.TakeResult()...};
      },
      handles);
}

}  // namespace internal

// Runs `tasks` concurrently and waits for all of them.
//
// Result:       a tuple of the results of joining each, in the order given.
// Errors:       each task's errors are in its own result; that of a task that
//               could not be spawned is ResourceExhausted. If any threw,
//               rethrows the first exception in the order given, after all
//               have ended.
// Cancellation: cancels the tasks, waits for them and returns their results.
// Cost:         no allocation except frames.
template <typename... Ts>
Task<std::tuple<JoinResult<Ts>...>> WhenAll(Task<Ts>... tasks) {
  std::tuple<JoinHandle<Ts>...> handles{Spawn(std::move(tasks))...};
  const auto children = internal::PointersTo(handles);
  co_await internal::WaitForAll(children);
  co_return internal::TakeResults(handles);
}

// The same over any number of tasks of one type. Allocates three vectors.
template <typename T>
Task<std::vector<JoinResult<T>>> WhenAll(std::vector<Task<T>> tasks) {
  auto handles = internal::SpawnAll(std::move(tasks));
  const auto children = internal::PointersTo(handles);
  co_await internal::WaitForAll(children);
  co_return internal::TakeResults(handles);
}

// Runs `tasks`, at least one, concurrently until the first has ended,
// successfully or not; then cancels the others and waits for them.
//
// Result:       the index of the first, and the result of joining each. If a
//               loser completed before its cancel, its result is kept.
// Errors:       each task's errors are in its own result. If any threw,
//               rethrows the exception of the first to end, else the first in
//               the order given, after all have ended.
// Cancellation: cancels the tasks and waits for them.
// Cost:         no allocation except frames.
template <typename T, typename... Ts>
Task<WhenAnyResult<std::tuple<JoinResult<T>, JoinResult<Ts>...>>> WhenAny(
    Task<T> task, Task<Ts>... tasks) {
  std::tuple<JoinHandle<T>, JoinHandle<Ts>...> handles{
      Spawn(std::move(task)), Spawn(std::move(tasks))...};
  const auto children = internal::PointersTo(handles);
  const size_t first = co_await internal::WaitForFirst(children);
  internal::RethrowFailure(*children[first]);
  WhenAnyResult<std::tuple<JoinResult<T>, JoinResult<Ts>...>> result(
      first, internal::TakeResults(handles));
  co_return std::move(result);
}

// The same over any number of tasks of one type. Allocates three vectors.
template <typename T>
Task<WhenAnyResult<std::vector<JoinResult<T>>>> WhenAny(
    std::vector<Task<T>> tasks) {
  auto handles = internal::SpawnAll(std::move(tasks));
  const auto children = internal::PointersTo(handles);
  const size_t first = co_await internal::WaitForFirst(children);
  internal::RethrowFailure(*children[first]);
  WhenAnyResult<std::vector<JoinResult<T>>> result(
      first, internal::TakeResults(handles));
  co_return std::move(result);
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_STRUCTURED_WHEN_H_
