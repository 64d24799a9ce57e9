// SPDX-License-Identifier: Apache-2.0
//
// CallError: what a failed system call of io_uring's means, and what to do.

#ifndef RINGWAY_BACKENDS_URING_CALL_ERROR_H_
#define RINGWAY_BACKENDS_URING_CALL_ERROR_H_

#include <string_view>

#include "absl/status/status.h"

namespace ringway::uring {

// The status for `call` (io_uring_setup, _enter or _register), made for
// `purpose` (may be empty): names both, and the cause and remedy of `errnum`.
absl::Status CallError(int errnum, std::string_view call,
                       std::string_view purpose);

// True if `status`, of making a ring, says that io_uring is not to be had here:
// a policy, an old kernel or a memory limit that others do not meet. False for
// what would hit anything else as well, as a want of fds does, and for what is
// not known to be a refusal: it must not be hidden by doing without.
bool IsRefusal(const absl::Status& status);

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_CALL_ERROR_H_
