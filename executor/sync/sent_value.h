// SPDX-License-Identifier: Apache-2.0
//
// SentValue<T>: the parameter type of a value that may not be accepted.
//
// A reference, so that a value that is not accepted stays with the caller.
// Callers pass std::move(value), except for trivially copyable types, which
// are copied.

#ifndef RINGWAY_EXECUTOR_SYNC_SENT_VALUE_H_
#define RINGWAY_EXECUTOR_SYNC_SENT_VALUE_H_

#include <type_traits>

namespace ringway::internal {

template <typename T>
using SentValue =
    std::conditional_t<std::is_trivially_copyable_v<T>, const T&, T&&>;

// The referenced object, to be moved from once it is accepted.
template <typename T>
using SentObject = std::remove_reference_t<SentValue<T>>;

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_SYNC_SENT_VALUE_H_
