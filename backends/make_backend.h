// SPDX-License-Identifier: Apache-2.0
//
// MakeBackend: the only place that names concrete backends.

#ifndef RINGWAY_BACKENDS_MAKE_BACKEND_H_
#define RINGWAY_BACKENDS_MAKE_BACKEND_H_

#include <memory>

#include "absl/status/statusor.h"
#include "ringway/backends/backend.h"
#include "ringway/backends/backend_options.h"

namespace ringway {

// Makes a backend for use by the calling thread only.
//
// The environment variable RINGWAY_BACKEND (auto, uring, epoll) overrides
// `options.kind`. `auto` uses epoll if io_uring is refused - by a policy, an
// old kernel, the memlock limit - and prints the reason in one line on stderr
// per process. Running out of fds is not a refusal. An explicit kind fails if
// it is unavailable; it never falls back.
//
// Opens fds 0, 1 and 2 if they are closed (core/standard_fds.h), so that no
// fd of a backend becomes stdin, stdout or stderr.
//
// Errors: InvalidArgument (an option out of range, a bad RINGWAY_BACKEND), or
//         the kernel's refusal with the remedy; both reasons if epoll is
//         refused too.
absl::StatusOr<std::unique_ptr<Backend>> MakeBackend(
    const BackendOptions& options);

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_MAKE_BACKEND_H_
