// SPDX-License-Identifier: Apache-2.0
//
// EnsureFileLimit: makes room for the fds that a server needs, or refuses to
// start with the numbers. Too few show only under load, as connections that are
// not accepted.

#ifndef RINGWAY_RUNTIME_HOST_FILE_LIMIT_H_
#define RINGWAY_RUNTIME_HOST_FILE_LIMIT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "ringway/core/compiler.h"

namespace ringway {

// Makes the soft limit of open files (RLIMIT_NOFILE) at least `need`, which is
// a number of fds of the whole process. Never lowers it, and leaves the hard
// limit as it is, also with the right to raise it. Programs started later
// inherit the limit; those that use select(2) can use fds below 1,024 only.
//
// Errors: ResourceExhausted with the need and both limits if the hard limit is
//         below `need`; the errno of getrlimit(2) or setrlimit(2), with them.
// Threads: any; the limit is the process's.
absl::Status EnsureFileLimit(uint64_t need);

}  // namespace ringway

#endif  // RINGWAY_RUNTIME_HOST_FILE_LIMIT_H_
