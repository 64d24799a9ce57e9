// SPDX-License-Identifier: Apache-2.0
//
// HoldStandardFds: keeps sockets from becoming stdin, stdout or stderr.
//
// A process may be started with 0, 1 or 2 closed (`0<&- 1>&- 2>&-`, some
// supervisors). The kernel assigns the lowest free number, so printf() would
// write to a ring, a listener or an accepted connection. Duplicating each fd
// beyond 2 would miss those that the kernel accepts by itself; occupying the
// three numbers covers all.

#ifndef RINGWAY_CORE_STANDARD_FDS_H_
#define RINGWAY_CORE_STANDARD_FDS_H_

#include "absl/status/status.h"

namespace ringway {

// Opens /dev/null, for reading and writing, on each closed one of the fds 0,
// 1 and 2. They stay open, also in children, until the program closes them.
//
// Errors: the errno of opening /dev/null, if one of them is closed.
// Threads: any.
// Cost: three system calls if none is closed.
absl::Status HoldStandardFds();

}  // namespace ringway

#endif  // RINGWAY_CORE_STANDARD_FDS_H_
