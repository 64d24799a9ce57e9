// SPDX-License-Identifier: Apache-2.0
//
// Select: waits for the first of several different things.
//
//   auto first = co_await ringway::Select(
//       stopped.Wait(), ringway::Sleep(absl::Seconds(30)), Fetch(host));
//   if (first.index == 2) Use(std::get<2>(first.results));
//
// WhenAny() for any awaitable, with the same guarantee: exactly one wins, and
// the others were cancelled and have ended when the Select ends. So a receive
// that lost has taken no bytes, or they are in its result.

#ifndef RINGWAY_EXECUTOR_STRUCTURED_SELECT_H_
#define RINGWAY_EXECUTOR_STRUCTURED_SELECT_H_

#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "ringway/executor/structured/awaiter_of.h"
#include "ringway/executor/structured/when.h"
#include "ringway/executor/task/task.h"

namespace ringway {
namespace internal {

template <typename T>
Task<T> AsTask(Task<T>&& task) {
  return std::move(task);
}

// Refers to the awaitable, which cannot be moved.
template <typename A>
requires(!kIsTask<std::remove_cvref_t<A>>) Task<AwaitResult<A&>> AsTask(
    A&& awaitable) {
  co_return co_await awaitable;
}

}  // namespace internal

// Awaits all of `awaitables`, at least one, concurrently until the first has
// ended, successfully or not; then cancels the others and waits for them. An
// awaitable is what the library's functions return (Sleep(), Event::Wait(),
// operations), a JoinHandle (losing ends its wait, not its task) or a Task,
// moved in.
//
// Result:       the index of the first, and the result of each as if joining
//               a task: a StatusOr<T> for a T. If a loser completed before
//               its cancel, its result is kept. When several are ready, the
//               first in the order given wins.
// Errors:       each one's errors are in its own result. Throws as WhenAny()
//               does.
// Ownership:    await it in the expression that makes it: it refers to the
//               awaitables, which are destroyed at the end of that
//               expression.
// Cancellation: cancels them all and waits for them.
// Cost:         a task and one or two frames for each; no allocation once
//               warm.
template <typename... As>
auto Select(As&&... awaitables) {
  return WhenAny(internal::AsTask(std::forward<As>(awaitables))...);
}

// The same over any number of awaitables of one type, such as handles; they
// are not moved. Allocates.
template <typename A>
auto Select(std::span<A> awaitables) {
  std::vector<Task<internal::AwaitResult<A&>>> tasks;
  tasks.reserve(awaitables.size());
  for (A& awaitable : awaitables) tasks.push_back(internal::AsTask(awaitable));
  return WhenAny(std::move(tasks));
}

// The same over tasks.
template <typename T>
auto Select(std::vector<Task<T>> tasks) {
  return WhenAny(std::move(tasks));
}

}  // namespace ringway

#endif  // RINGWAY_EXECUTOR_STRUCTURED_SELECT_H_
