// SPDX-License-Identifier: Apache-2.0
//
// SentValue<T>: how a function takes a value that it may not get to keep.
//
// By reference, so that a value that is not accepted stays where it is. The
// caller says std::move(), but for types for which that means nothing: those
// are copied.

#ifndef RINGWAY_EXECUTOR_SYNC_SENT_VALUE_H_
#define RINGWAY_EXECUTOR_SYNC_SENT_VALUE_H_

#include <type_traits>

namespace ringway::internal {

template <typename T>
using SentValue =
    std::conditional_t<std::is_trivially_copyable_v<T>, const T&, T&&>;

// The value at rest, to be moved from once it is accepted.
template <typename T>
using SentObject = std::remove_reference_t<SentValue<T>>;

}  // namespace ringway::internal

#endif  // RINGWAY_EXECUTOR_SYNC_SENT_VALUE_H_
