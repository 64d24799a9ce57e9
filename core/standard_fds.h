// SPDX-License-Identifier: Apache-2.0
//
// HoldStandardFds: no socket of ours becomes stdout.
//
// A process may be started with 0, 1 or 2 closed (`0<&- 1>&- 2>&-`, some
// supervisors). The kernel gives out the lowest free number, so a ring, a
// listener or an accepted connection would become what printf() writes to.
// Making each fd anew beyond 2 would leave out those that the kernel accepts by
// itself; with the three numbers taken there is nothing to leave out.

#ifndef RINGWAY_CORE_STANDARD_FDS_H_
#define RINGWAY_CORE_STANDARD_FDS_H_

#include "absl/status/status.h"

namespace ringway {

// Opens /dev/null, for reading and writing, on each of the fds 0, 1 and 2 that
// is closed. They stay open, also in children, until the program closes them.
//
// Errors: what open() says of /dev/null, if one of them is closed.
// Threads: any.
// Cost: three system calls if none is closed.
absl::Status HoldStandardFds();

}  // namespace ringway

#endif  // RINGWAY_CORE_STANDARD_FDS_H_
