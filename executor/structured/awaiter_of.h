// SPDX-License-Identifier: Apache-2.0
//
// The awaiter and the result type of an awaitable, for generic functions.
// Internal.

#ifndef RINGWAY_EXECUTOR_STRUCTURED_AWAITER_OF_H_
#define RINGWAY_EXECUTOR_STRUCTURED_AWAITER_OF_H_

#include <type_traits>
#include <utility>

#include "ringway/executor/task/task.h"

namespace ringway::internal {

template <typename A>
inline constexpr bool kIsTask = false;
template <typename T>
inline constexpr bool kIsTask<Task<T>> = true;

// The awaiter of `awaitable`: an object, or a reference to `awaitable` if
// that is its own awaiter.
template <typename A>
decltype(auto) AwaiterOf(A&& awaitable) {
  if constexpr (requires { std::forward<A>(awaitable).operator co_await(); }) {
    return std::forward<A>(awaitable).operator co_await();
  } else {
    return (awaitable);
  }
}

// The result type of awaiting it.
template <typename A>
using AwaitResult =
    std::decay_t<decltype(AwaiterOf(std::declval<A>()).await_resume())>;

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_STRUCTURED_AWAITER_OF_H_
