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

// Makes a backend for the calling thread, which alone may use it.
//
// The environment variable RINGWAY_BACKEND (auto, uring, epoll) overrides
// `options.kind`. `auto` takes epoll where io_uring is refused - by a policy,
// an old kernel, the memlock limit - and says so in one line on stderr per
// process. A want of fds is no refusal. An explicit kind fails where it cannot
// be had; it never downgrades.
//
// Holds the fds 0, 1 and 2 (core/standard_fds.h), so that nothing made with or
// by a backend becomes stdin, stdout or stderr.
//
// Errors: InvalidArgument (an option out of range, a bad RINGWAY_BACKEND), or
//         why the kernel refused, with the remedy; both reasons where epoll is
//         refused, too.
absl::StatusOr<std::unique_ptr<Backend>> MakeBackend(
    const BackendOptions& options);

}  // namespace ringway

#endif  // RINGWAY_BACKENDS_MAKE_BACKEND_H_
