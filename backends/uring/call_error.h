// SPDX-License-Identifier: Apache-2.0
//
// CallError: the meaning of a failed io_uring system call, and the remedy.

#ifndef RINGWAY_BACKENDS_URING_CALL_ERROR_H_
#define RINGWAY_BACKENDS_URING_CALL_ERROR_H_

#include <string_view>

#include "absl/status/status.h"

namespace ringway::uring {

// The status of a failed `call` (io_uring_setup, _enter or _register) for
// `purpose` (may be empty), with both, and the cause and remedy of `errnum`.
absl::Status CallError(int errnum, std::string_view call,
                       std::string_view purpose);

// True if `status`, of creating a ring, means that io_uring is unavailable: a
// policy, an old kernel or a memory limit that applies to io_uring only.
// False for errors that would affect other backends too, such as a lack of
// fds, and for unknown errors, which a fallback must not hide.
bool IsRefusal(const absl::Status& status);

}  // namespace ringway::uring

#endif  // RINGWAY_BACKENDS_URING_CALL_ERROR_H_
