// SPDX-License-Identifier: Apache-2.0
//
// Reap: takes away what a process leaves behind when it ends (a zombie), for
// processes that nobody waits for.

#ifndef RINGWAY_POOLS_SPAWNER_REAPER_H_
#define RINGWAY_POOLS_SPAWNER_REAPER_H_

#include "ringway/core/unique_fd.h"

namespace ringway::internal {

// Waits for the process of `pidfd`, a child of this process, on a thread of the
// process's own, which is started by the first call that needs one.
//
// Threads: any.
void Reap(UniqueFd pidfd);

}  // namespace ringway::internal

#endif  // RINGWAY_POOLS_SPAWNER_REAPER_H_
