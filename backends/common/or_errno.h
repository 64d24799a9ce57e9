// SPDX-License-Identifier: Apache-2.0
//
// OrErrno: a system call's result as the backends return it.

#ifndef RINGWAY_BACKENDS_COMMON_OR_ERRNO_H_
#define RINGWAY_BACKENDS_COMMON_OR_ERRNO_H_

#include <cerrno>
#include <concepts>

namespace ringway {

// Returns `rc`, or -errno if it is negative.
template <std::signed_integral T>
T OrErrno(T rc) {
  return rc < 0 ? static_cast<T>(-errno) : rc;
}

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_COMMON_OR_ERRNO_H_
